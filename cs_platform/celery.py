"""The Celery application. Workers carry hints; the work itself is rows in Postgres."""

import os
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
def close_inherited_connections(**kwargs: Any) -> None:
    """A forked child must not talk on its parent's database sockets."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.inc_thread_sharing()
        connection.connection = None
