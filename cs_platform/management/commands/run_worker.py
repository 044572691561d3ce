"""Runs Celery's worker, and beside it a loop that looks for due jobs without any broker.

The broker is only a fast way to say "there is work". The loop keeps work moving while Redis is away, and the worker
is started again when it does not take messages any more although the broker answers.
"""

import os
import signal
import socket
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand

from cs_platform.children import Child, stop_all
from cs_platform.monitoring.worker import WorkerWatch

STOP_SECONDS = 8.0
WARM_SECONDS = 2.0
POLL_SECONDS = 0.2
log = structlog.get_logger("cs_platform.worker")


class Command(BaseCommand):
    help = "Run background work: Celery's worker and a loop over the jobs in the database."
    # `migrate` has run the checks. They load every page, which doubles the work of a start, in each of three processes.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--processes", type=int, default=settings.CELERY_WORKER_CONCURRENCY)
        parser.add_argument("--queues", default="celery", help="Celery queues to take from, comma-separated.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stop_requested = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.request_stop)
        name = f"worker-{os.getpid()}@{socket.gethostname()}"
        environment = {"CS_PROCESS": "worker", "CELERY_SKIP_CHECKS": "true"}
        consumer = Child(
            "celery", celery_arguments(name, options["processes"], options["queues"]), environment
        )
        loop = Child("jobs", ["manage.py", "drain_jobs"], environment)
        watch = WorkerWatch(name)
        try:
            self.run_children(consumer, loop, watch)
        finally:
            stop_warmly(consumer)
            stop_all([consumer, loop], seconds=STOP_SECONDS - WARM_SECONDS)

    def run_children(self, consumer: Child, loop: Child, watch: WorkerWatch) -> None:
        while not self.stop_requested:
            for child in (consumer, loop):
                if not child.is_running:
                    if child.starts:
                        log.warning("worker.restart", child=child.name)
                        time.sleep(min(len(child.starts), 5))
                    child.start()
                    watch.restarted()
            if watch.is_stuck():
                log.error("worker.stuck", child=consumer.name)
                consumer.kill_group()
            time.sleep(POLL_SECONDS)

    def request_stop(self, number: int, frame: FrameType | None) -> None:
        self.stop_requested = True


def celery_arguments(name: str, processes: int, queues: str) -> list[str]:
    return [
        "-W",
        "ignore::UserWarning:celery.platforms",  # running as root is normal in a container
        "-m",
        "celery",
        "--app=cs_platform.celery",
        "--quiet",
        "worker",
        f"--hostname={name}",
        f"--concurrency={processes}",
        f"--queues={queues}",
        "--pool=prefork",
        "--loglevel=WARNING",
        "--without-gossip",
        "--without-mingle",
    ]


def stop_warmly(consumer: Child) -> None:
    """Let running tasks end for a moment; then ask for the quick shutdown, which gives their messages back."""
    consumer.signal(signal.SIGTERM)
    deadline = time.monotonic() + WARM_SECONDS
    while consumer.is_running and time.monotonic() < deadline:
        time.sleep(0.05)
    consumer.signal(signal.SIGQUIT)
