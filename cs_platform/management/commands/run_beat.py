"""Runs the periodic schedule of `cs_platform/schedule.py`."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Run the scheduler. One is enough; a second one only repeats hints."
    requires_system_checks = []  # as in run_worker

    def handle(self, *args: Any, **options: Any) -> None:
        os.environ["CS_PROCESS"] = "worker"
        settings.VAR.run.mkdir(
            mode=0o700, parents=True, exist_ok=True
        )  # its memory of the last runs lies there
        from cs_platform.celery import app

        app.start(["--quiet", "beat", "--loglevel", "WARNING", "--pidfile", ""])
