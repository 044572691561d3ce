"""A real worker process on the test's own database and broker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.stack import REPOSITORY

START_SECONDS = 40.0


class RealWorker:
    """`manage.py run_worker`, to be stopped politely or killed."""

    def __init__(self, log: Path | None = None) -> None:
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, answering: bool = True) -> None:
        """Start, and wait until Celery's consumer answers unless there is no broker for it."""
        environment = os.environ | {"CS_PROCESS": "worker"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with open(self.log or os.devnull, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run_worker", "--processes", "2"],
                cwd=REPOSITORY,
                env=environment,
                start_new_session=True,
                stderr=log,
            )
        if answering:
            self.wait_for(self.answers, START_SECONDS)

    @staticmethod
    def answers() -> bool:
        import redis
        from kombu.exceptions import OperationalError

        from cs_platform.celery import app

        try:
            return bool(app.control.ping(timeout=0.5))
        except (OperationalError, redis.RedisError):  # a pooled connection of before an outage
            return False

    @staticmethod
    def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until something is true; fails the test when it never is."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"still not true after {seconds:.0f} seconds: {condition}")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL to the whole family at once, as a machine that loses power."""
        self.signal_family(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(10)
        self.process = None

    def family(self) -> list[int]:
        """The command and all its descendants, children first."""
        if self.process is None:
            return []
        parents: dict[int, int] = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found[::-1]

    def signal_family(self, number: int) -> None:
        """A signal for every process of the worker, as SIGSTOP for a machine that hangs."""
        for pid in self.family():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> int:
        """Stop politely; returns the exit code."""
        code = 0
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            code = self.process.wait(30)
            self.process = None
        return code


@pytest.fixture
def real_worker(transactional_db: None, valkey: object) -> Iterator[RealWorker]:
    """A running worker (prefork, two processes) beside the loop that drains jobs."""
    worker = RealWorker()
    try:
        worker.start()
        yield worker
    finally:
        worker.stop()
