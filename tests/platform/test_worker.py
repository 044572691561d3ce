"""Real worker processes: work survives an empty broker, no broker, and SIGKILL."""

import random
import time
from typing import Any

import pytest

from accounts.models import Account, Job
from cs_platform.embedded.valkey import Valkey
from cs_platform.lib.scoping import workspace_scope
from tests.workbench.apps import KIND
from tests.workers import RealWorker

pytestmark = [pytest.mark.worker, pytest.mark.slow]


def put_jobs(workspace_id: int, count: int) -> None:
    with workspace_scope(workspace_id):
        for number in range(1, count + 1):
            Job.objects.put(KIND, number)


def none_left() -> bool:
    return not Job.objects.filter(kind=KIND).exists()


def in_hand() -> int:
    """How many jobs a worker has claimed and not finished."""
    return Job.objects.filter(kind=KIND, lease_until__isnull=False).count()


def made(workspace_id: int) -> list[str]:
    with workspace_scope(workspace_id):
        return sorted(Account.objects.values_list("name", flat=True))


def expected(count: int) -> list[str]:
    return sorted(f"made-{number}" for number in range(1, count + 1))


def test_jobs_run_without_any_broker(real_worker: RealWorker, valkey_server: Valkey, cast: Any) -> None:
    valkey_server.stop()
    try:
        put_jobs(cast.workspace.pk, 5)
        real_worker.wait_for(none_left, 30)
    finally:
        valkey_server.start()
    assert made(cast.workspace.pk) == expected(5)


@pytest.mark.parametrize(("jobs", "kills"), [(60, 1), pytest.param(600, 20, marks=pytest.mark.soak)])
def test_jobs_survive_kills_and_an_emptied_broker(
    real_worker: RealWorker, valkey: Any, cast: Any, jobs: int, kills: int
) -> None:
    """The whole worker is killed at random moments and the broker flushed: each effect happens exactly once."""
    dice = random.Random(7)
    orphaned = 0
    put_jobs(cast.workspace.pk, jobs)
    for _ in range(kills):
        real_worker.wait_for(lambda: in_hand() > 0 or none_left())
        time.sleep(dice.uniform(0, 0.6))
        real_worker.kill()
        orphaned += in_hand()
        valkey.flushall()
        real_worker.start()
    assert orphaned, "no kill hit a job in hand: the run proves nothing"
    real_worker.wait_for(none_left, 90)
    assert made(cast.workspace.pk) == expected(jobs)


def test_a_kill_leaves_no_orphan(real_worker: RealWorker) -> None:
    family = real_worker.family()
    assert len(family) >= 5
    assert real_worker.process is not None
    real_worker.process.kill()
    real_worker.process.wait(10)
    real_worker.process = None
    RealWorker.wait_for(lambda: not any(is_alive(pid) for pid in family), 15)


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
