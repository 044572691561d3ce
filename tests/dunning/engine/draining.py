"""Workers made to be killed: one process loads the product and forks a drainer for every line it reads.

`python -m tests.dunning.engine.draining` reads "<seconds>" (how far ahead the drainer's clock is) and answers with
the drainer's process id. Each drainer has a process group of its own. What it goes through besides: `hardship.py`.
"""

from __future__ import annotations

import ctypes
import gc
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.dunning.engine import hardship

PR_SET_PDEATHSIG = 1
REPOSITORY = Path(__file__).resolve().parents[3]  # not of tests.stack, which starts servers


class Drainers:
    """Some workers on the test's database; the clock of all is `ahead`.

    `die`: the share of commits, claims and answers after which one kills itself; `freeze`: of answers after which
    one stands still until another has its job; `mutant`: the bug that is planted into all of them.
    """

    def __init__(
        self, count: int, *, die: float = 0, freeze: float = 0, mutant: str = "", **environment: str
    ) -> None:
        self.count, self.ahead = count, timedelta(0)
        self.pids: list[int] = []
        self.frozen: dict[int, float] = {}
        self.overtaken = 0
        self._notes = tempfile.TemporaryDirectory(prefix="drainers-")
        environment |= {
            hardship.DIE: str(die),
            hardship.FREEZE: str(freeze),
            hardship.NOTES: self._notes.name,
            "DRAINER_MUTANT": mutant,
        }
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
        _signal(pid, signal.SIGKILL)
        orphaned = _give_up_leases(pid)
        self._spawn()
        return orphaned

    def tend(self, *, replace: bool = True) -> None:
        """Put others in the place of who died, and let who stands still go on once somebody else has its job."""
        for pid in list(self.pids):
            state = _state_of(pid)
            if state == "T":
                self._watch(pid)
            elif not state:
                self.pids.remove(pid)
                _give_up_leases(pid)
                if replace:
                    self._spawn()

    def _watch(self, pid: int) -> None:
        if pid not in self.frozen:
            _give_up_leases(pid, frozen=True)
            self.frozen[pid] = time.monotonic()
            return
        is_overtaken = not _leases_of(pid).exists()
        if is_overtaken or time.monotonic() - self.frozen[pid] > 2:
            self.overtaken += is_overtaken
            del self.frozen[pid]
            os.kill(pid, signal.SIGCONT)

    def noted(self) -> dict[str, int]:
        """What they saw, and how often; what begins with "!" must never be."""
        return hardship.noted(Path(self._notes.name))

    def stop(self) -> None:
        """Let them finish what they have in hand."""
        for pid in self.pids:
            _signal(pid, signal.SIGTERM)
        while self.pids or _leased():
            self.tend(replace=False)
            time.sleep(0.02)

    def close(self) -> None:
        self._notes.cleanup()
        for pid in self.pids:
            _signal(pid, signal.SIGKILL)
        self.zygote.kill()
        self.zygote.wait(10)
        for pipe in (self.zygote.stdin, self.zygote.stdout):
            assert pipe is not None
            pipe.close()


def _signal(pid: int, what: int) -> None:
    """To its process group, or to itself when it is too young to have one; it may also have been quicker."""
    for send in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            send(pid, what)
            return


def _give_up_leases(pid: int, *, frozen: bool = False) -> int:
    """As if the leases of one who is dead or stands still had run out; those of the others stay.

    One who stands still inside a transaction keeps its row locked: nobody waits for that.
    """
    from django.db import transaction

    if frozen:
        with transaction.atomic():
            free = list(_leases_of(pid).select_for_update(skip_locked=True).values_list("pk", flat=True))
            return int(_leases_of(pid).filter(pk__in=free).update(lease_until=_LONG_AGO))
    return int(_leases_of(pid).update(lease_until=_LONG_AGO))


def _leases_of(pid: int) -> Any:
    from accounts.models import Job

    return Job.objects.filter(lease_owner__contains=f":{pid}:", lease_until__isnull=False)


def _state_of(pid: int) -> str:
    """The kernel's letter for the process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


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
    from accounts.gateways.stripe import client
    from accounts.services import jobs  # noqa: F401

    if mutant := os.environ.get("DRAINER_MUTANT"):
        from tests.dunning.engine.mutants import MUTANTS

        MUTANTS[mutant]()
    hardship.install()
    client.open_client("sk_test_none")  # loads the SDK, so that no drainer has to
    import time_machine  # noqa: F401  loaded once, as the SDK is

    gc.collect()
    gc.freeze()  # what is loaded is not looked through, and copied, by every drainer
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if pid := os.fork():
            print(pid, flush=True)
            continue
        os.setsid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # also of one who stands still
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
