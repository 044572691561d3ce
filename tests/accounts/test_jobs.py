"""Work as rows: claimed once, fenced, pushed ahead on errors, parked when it is poison."""

from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import Account, Job
from accounts.registry import JobKind, job_kinds
from accounts.services import jobs
from accounts.services.jobs import ComeBack, LostLease, claim, run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from tests.builders import make_account

KIND = "test.rename"


@pytest.fixture
def kind(monkeypatch):
    """Registers a job kind for one test: `kind(handler, **options)`."""

    def register(handler, **options):
        monkeypatch.setitem(job_kinds._items, KIND, JobKind(KIND, handler, **options))

    return register


def put(cast, object_id=1):
    with workspace_scope(cast.workspace.pk):
        Job.objects.put(KIND, object_id)


def run(limit=10):
    return run_due_jobs(limit=limit, kind=KIND)


def expire_leases():
    Job.objects.update(lease_until="2000-01-01T00:00:00Z")


def test_the_same_work_is_one_row(cast):
    put(cast)
    put(cast)
    assert Job.objects.filter(kind=KIND).count() == 1


def test_effect_and_done_commit_together(cast, kind):
    kind(lambda object_id: make_account(f"made-{object_id}"))
    put(cast, 7)
    assert run() == 1
    with workspace_scope(cast.workspace.pk):
        assert Account.objects.get().name == "made-7"
    assert not Job.objects.filter(kind=KIND).exists()


def test_an_error_leaves_nothing_behind_and_comes_back_later(cast, kind):
    def half(object_id):
        make_account("half")
        raise ValueError("secret@example.com")

    kind(half)
    put(cast)
    assert run() == 1
    job = Job.objects.get(kind=KIND)
    assert (job.last_error, job.attempts, job.lease_until) == ("ValueError", 1, None)
    assert run() == 0, "not due before its pause is over"
    with workspace_scope(cast.workspace.pk):
        assert not Account.objects.exists()


def test_poison_is_parked_and_the_rest_goes_on(cast, kind):
    calls = []

    def poison(object_id):
        calls.append(object_id)
        if object_id == 1:
            raise ValueError

    kind(poison, max_attempts=3, retry_after=timedelta(0))
    put(cast, 1)
    put(cast, 2)
    assert run(limit=20) == 4
    assert sorted(calls) == [1, 1, 1, 2]
    assert Job.objects.get(kind=KIND).parked_at is not None


def test_a_job_that_kills_its_worker_is_parked_without_running_again(cast, kind):
    kind(lambda object_id: pytest.fail("ran"), max_attempts=2)
    put(cast)
    for _ in range(2):
        assert claim(kind=KIND) is not None
        expire_leases()
    run()
    assert Job.objects.get(kind=KIND).parked_at is not None


def test_a_late_writer_is_kept_out(cast, kind):
    put(cast)
    slow = claim(kind=KIND)
    expire_leases()
    quick = claim(kind=KIND)
    kind(lambda object_id: make_account("late"))
    jobs.run(slow)
    with workspace_scope(cast.workspace.pk):
        assert not Account.objects.exists()
    with pytest.raises(LostLease):
        slow.hold()
    quick.hold()


def test_work_put_while_it_runs_is_done_once_more(cast, kind):
    seen = []

    def again(object_id):
        seen.append(object_id)
        if len(seen) == 1:
            Job.objects.put(KIND, object_id)

    kind(again)
    put(cast, 5)
    assert run() == 2
    assert seen == [5, 5]


def test_a_claimed_job_is_not_claimed_again(cast):
    put(cast)
    assert claim(kind=KIND) is not None
    assert claim(kind=KIND) is None


def test_an_unknown_kind_is_parked(cast):
    put(cast)
    assert run() == 1
    assert Job.objects.get(kind=KIND).last_error == "unknown job kind"


def test_due_times_are_the_databases_clock(cast, time_machine):
    time_machine.move_to("2031-01-01")
    put(cast)
    with connection.cursor() as cursor:
        cursor.execute("SELECT due_at <= clock_timestamp() FROM accounts_job WHERE kind = %s", [KIND])
        assert cursor.fetchone() == (True,)


def test_a_job_that_is_not_due_yet_comes_back_without_an_error(cast, kind):
    def not_yet(lease):
        raise ComeBack(timedelta(hours=2))

    kind(not_yet, in_scope=False, max_attempts=1)
    put(cast)
    for _ in range(3):
        assert run() <= 1
        Job.objects.update(due_at="2000-01-01T00:00:00Z")
    job = Job.objects.get(kind=KIND)
    assert (job.attempts, job.parked_at, job.lease_until) == (0, None, None)


def test_a_wish_that_came_meanwhile_beats_the_pause(cast, kind):
    calls = []

    def not_yet(lease):
        calls.append(1)
        if len(calls) == 1:
            put(cast)
            raise ComeBack(timedelta(hours=2))

    kind(not_yet, in_scope=False)
    put(cast)
    assert run() == 2
    assert not Job.objects.filter(kind=KIND).exists()
