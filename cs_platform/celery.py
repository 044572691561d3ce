"""The Celery application. Workers carry hints; the work itself is rows in Postgres."""

import os
import signal
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings")

app = Celery("cs_platform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Connecting here stops Celery from replacing Django's logging set-up."""


@worker_process_init.connect
def end_with_parent(**kwargs: Any) -> None:
    """A worker killed by SIGKILL takes its processes along, instead of leaving orphans at work.

    (Celery's own Django support already drops the database connections that a fork inherits.)
    """
    from cs_platform.embedded.identity import set_parent_death_signal

    set_parent_death_signal(signal.SIGKILL)
