"""Real workers that are frozen, stopped under load, killed by their own job, or left without a broker."""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Job, Note
from accounts.services.jobs import run_due_jobs
from accounts.tasks import nudge
from cs_platform.embedded.valkey import Valkey
from cs_platform.lib.scoping import workspace_scope
from tests.builders import expire_leases, make_account
from tests.platform.test_worker import expected, in_hand, made, none_left, put_jobs
from tests.workbench.apps import DEADLY_ATTEMPTS, DEADLY_KIND, LATE_KIND, LATE_LEASE, QUICK_KIND
from tests.workers import RealWorker

pytestmark = [pytest.mark.worker, pytest.mark.slow]


def put(workspace_id: int, kind: str, numbers: Any) -> None:
    with workspace_scope(workspace_id):
        for number in numbers:
            Job.objects.put(kind, number)


def notes(workspace_id: int) -> Counter[str]:
    with workspace_scope(workspace_id):
        return Counter(Note.objects.values_list("body", flat=True))


def left(kind: str) -> int:
    return Job.objects.filter(kind=kind, parked_at__isnull=True).count()


def held_by_workers() -> list[int]:
    """The processes that have a job of the late kind in hand, with its own short lease."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT split_part(lease_owner, ':', 2)::int FROM accounts_job"
            " WHERE kind = %s AND lease_until BETWEEN clock_timestamp() AND clock_timestamp() + %s",
            [LATE_KIND, LATE_LEASE],
        )
        return [pid for (pid,) in cursor.fetchall()]


@pytest.fixture
def home(cast: Any) -> int:
    """A workspace with an account for notes."""
    with workspace_scope(cast.workspace.pk):
        make_account("Alder")
    pk: int = cast.workspace.pk
    return pk


@pytest.fixture
def no_broker(valkey: Any, valkey_server: Valkey) -> Iterator[Valkey]:
    valkey_server.stop()
    yield valkey_server
    if valkey_server.process is None:
        valkey_server.start()


@pytest.mark.parametrize("freezes", [2, pytest.param(100, marks=pytest.mark.soak)])
def test_a_frozen_worker_writes_nothing_late(real_worker: RealWorker, home: int, freezes: int) -> None:
    """Frozen for three leases while somebody else does its work; thawed, its write is refused."""
    caught = 0
    for turn in range(freezes):
        numbers = range(turn * 3, turn * 3 + 3)
        put(home, LATE_KIND, numbers)
        nudge()
        real_worker.wait_for(lambda: bool(held_by_workers()))
        real_worker.signal_family(signal.SIGSTOP)
        try:
            caught += len(set(held_by_workers()) & set(real_worker.family()))
            time.sleep(3 * LATE_LEASE.total_seconds())
            expire_leases()  # one that was frozen between claiming and its own lease still has the claim's minute
            run_due_jobs(limit=10, kind=LATE_KIND)
            assert left(LATE_KIND) == 0
        finally:
            real_worker.signal_family(signal.SIGCONT)
        put(home, QUICK_KIND, [-1 - turn])  # done when the thawed loop is through with what it had in hand
        real_worker.wait_for(lambda: left(QUICK_KIND) == 0)
        time.sleep(0.7)
    found = {body: times for body, times in notes(home).items() if int(body) >= 0}
    assert found == {str(number): 1 for number in range(3 * freezes)}
    assert caught >= freezes, "no job was in a frozen hand: the run proves nothing"


@pytest.mark.parametrize("stops", [2, pytest.param(50, marks=pytest.mark.soak)])
def test_stopping_under_load_loses_nothing(real_worker: RealWorker, home: int, stops: int) -> None:
    """SIGTERM in the middle of the work: the worker goes in time and politely, the next one does the rest."""
    jobs = 60 * stops
    for turn in range(stops):
        put_jobs_from(home, 60 * turn + 1, 60 * turn + 60)
        nudge()
        real_worker.wait_for(lambda: in_hand() > 0 or none_left())
        assert not none_left(), "there was no load"
        began = time.monotonic()
        assert real_worker.stop() == 0
        assert time.monotonic() - began <= 30
        real_worker.start()
    real_worker.wait_for(none_left, 30 + jobs * 0.1)
    assert made(home) == sorted(["Alder", *expected(jobs)])


def test_a_job_that_kills_its_worker_is_parked_and_the_rest_goes_on(
    real_worker: RealWorker, home: int
) -> None:
    put(home, DEADLY_KIND, [1])
    put_jobs(home, 20)
    nudge()
    real_worker.wait_for(lambda: left(DEADLY_KIND) == 0, 60)
    real_worker.wait_for(none_left, 30)
    job = Job.objects.get(kind=DEADLY_KIND)
    assert job.parked_at is not None
    assert job.attempts == DEADLY_ATTEMPTS + 1, "the last claim parks it without running it"
    assert made(home) == sorted(["Alder", *expected(20)])
    real_worker.wait_for(real_worker.answers)


@pytest.mark.parametrize(("jobs", "flushes"), [(80, 20), pytest.param(20_000, 20, marks=pytest.mark.soak)])
def test_an_emptied_broker_loses_nothing(
    real_worker: RealWorker, valkey: Any, home: int, jobs: int, flushes: int
) -> None:
    """FLUSHALL twenty times in the middle of the work, which is asked for over the broker."""
    dice = random.Random(17)
    put_jobs(home, jobs // 4)
    began = time.monotonic()
    nudge()
    real_worker.wait_for(lambda: left("workbench.make_account") == 0, 60 + jobs * 0.1)
    undisturbed = 4 * (time.monotonic() - began)
    put_jobs_from(home, jobs // 4 + 1, jobs)
    began = time.monotonic()
    for _ in range(flushes):
        nudge()
        time.sleep(dice.uniform(0, min(0.1, undisturbed / flushes)))
        valkey.flushall()
    real_worker.wait_for(none_left, 2 * undisturbed + 60)
    put_jobs_from(home, jobs + 1, jobs + 5)  # as if their hint had gone with the last flush
    real_worker.wait_for(none_left, 20)
    assert made(home) == sorted(["Alder", *expected(jobs + 5)])


def put_jobs_from(workspace_id: int, first: int, last: int) -> None:
    put(workspace_id, "workbench.make_account", range(first, last + 1))


def test_pages_write_and_workers_come_back_without_a_restart(
    real_worker: RealWorker, valkey_server: Valkey, cast: Any, home: int
) -> None:
    """The broker stops: what only writes keeps answering; it returns, and the same processes take messages again."""
    before = set(real_worker.family())
    client = Client()
    client.force_login(cast.ada, backend="django.contrib.auth.backends.ModelBackend")
    valkey_server.stop()
    try:
        answers = [
            client.post("/settings/members/", {"email": f"new{n}@example.com", "role": "csm"}).status_code
            for n in range(3)
        ]
        answers += [client.post("/settings/data/exports/").status_code, client.get("/queue/").status_code]
        put(home, QUICK_KIND, range(5))
        real_worker.wait_for(lambda: left(QUICK_KIND) == 0, 30)
    finally:
        valkey_server.start()
    assert max(answers) < 400, answers
    assert sum(notes(home).values()) == 5
    real_worker.wait_for(real_worker.answers, 30)
    assert set(real_worker.family()) >= before, "processes were started again"


@pytest.mark.parametrize(("jobs", "per_second"), [(150, 5), pytest.param(3_000, 50, marks=pytest.mark.soak)])
def test_the_system_starts_and_drains_without_a_broker(
    no_broker: Valkey, transactional_db: None, home: int, jobs: int, per_second: int
) -> None:
    worker = RealWorker()
    put(home, QUICK_KIND, range(jobs))
    try:
        worker.start(answering=False)
        worker.wait_for(lambda: left(QUICK_KIND) < jobs, 40)
        began, some = time.monotonic(), left(QUICK_KIND)
        worker.wait_for(lambda: left(QUICK_KIND) == 0, 60)
        assert some / (time.monotonic() - began) >= per_second
    finally:
        worker.stop()
    assert set(notes(home).values()) == {1}
    assert len(notes(home)) == jobs
