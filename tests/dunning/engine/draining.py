"""Workers made to be killed: one process loads the product and forks a drainer for every line it reads.

`python -m tests.dunning.engine.draining` reads "<seconds>" (how far ahead the drainer's clock is) and answers with
the drainer's process id. Each drainer has a process group of its own.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]  # not of tests.stack, which starts servers


class Drainers:
    """Some workers on the test's database; the clock of all is `ahead`."""

    def __init__(self, count: int, **environment: str) -> None:
        self.count, self.ahead = count, timedelta(0)
        self.pids: list[int] = []
        with open(os.environ.get("DRAINERS_LOG", os.devnull), "ab") as log:
            self.zygote: subprocess.Popen[str] = subprocess.Popen(
                [sys.executable, "-m", "tests.dunning.engine.draining"],
                cwd=REPOSITORY,
                env=os.environ | environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def start(self, ahead: timedelta = timedelta(0)) -> None:
        self.ahead = ahead
        for _ in range(self.count):
            self._spawn()

    def _spawn(self) -> None:
        assert self.zygote.stdin is not None and self.zygote.stdout is not None
        self.zygote.stdin.write(f"{self.ahead.total_seconds()}\n")
        self.zygote.stdin.flush()
        self.pids.append(int(self.zygote.stdout.readline()))

    def kill_one(self, dice: random.Random) -> int:
        """Kill a worker's whole process group and start another; returns how many jobs it had in hand."""
        pid = self.pids.pop(dice.randrange(len(self.pids)))
        os.killpg(pid, signal.SIGKILL)
        orphaned = _give_up_leases(pid)
        self._spawn()
        return orphaned

    def stop(self) -> None:
        """Let them finish what they have in hand."""
        for pid in self.pids:
            os.killpg(pid, signal.SIGTERM)
        self.pids = []
        while _leased():
            time.sleep(0.05)

    def close(self) -> None:
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        self.zygote.kill()
        self.zygote.wait(10)
        for pipe in (self.zygote.stdin, self.zygote.stdout):
            assert pipe is not None
            pipe.close()


def _give_up_leases(pid: int) -> int:
    """As if the dead worker's leases had run out; those of the living stay."""
    from accounts.models import Job

    mine = Job.objects.filter(lease_owner__contains=f":{pid}:", lease_until__isnull=False)
    return int(mine.update(lease_until=_LONG_AGO))


def _leased() -> bool:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM accounts_job WHERE lease_until > clock_timestamp() LIMIT 1")
        return cursor.fetchone() is not None


_LONG_AGO = "2000-01-01T00:00:00+00:00"


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings")
    django.setup()
    from accounts.gateways.stripe import client  # noqa: F401
    from accounts.services import jobs  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if pid := os.fork():
            print(pid, flush=True)
            continue
        os.setsid()
        _drain(float(line))
        os._exit(0)


def _drain(ahead: float) -> None:
    """Until asked to stop: take what is due, or wait a moment."""
    from accounts.services.jobs import run_due_jobs

    stopping = False

    def stop(*_: Any) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    if ahead:
        import time_machine

        moved = time_machine.travel(time.time() + ahead, tick=True)
        moved.start()
    while not stopping:
        if not run_due_jobs(limit=50, keep_on=lambda: not stopping):
            time.sleep(0.02)


if __name__ == "__main__":
    main()
