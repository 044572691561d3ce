"""Jobs by the database's clock only, apart by workspace, and slots that three schedulers at once fill once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import pytest
from django.db import connection, connections

from accounts.models import (
    Account,
    AuditEntry,
    Job,
    Note,
    Notification,
    NotificationDigest,
    OutboundEmail,
    User,
    Workspace,
)
from accounts.registry import JobKind, job_kinds
from accounts.services.digests import send_due_digests
from accounts.services.jobs import LostLease, claim, run, run_due_jobs
from accounts.services.retention import PRUNE_JOB, request_pruning
from cs_platform.lib.scoping import NoScope, current_workspace_id, workspace_scope
from health.models import NightRun
from health.services.nights import start_due_nights
from tests.builders import NOW, expire_leases, make_account, make_workspace

KIND = "test.clock"


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def register(handler: Any, **options: Any) -> None:
        monkeypatch.setitem(job_kinds._items, KIND, JobKind(KIND, handler, **options))

    return register


def put(workspace_id: int, number: int, delay: timedelta = timedelta(0)) -> None:
    with workspace_scope(workspace_id):
        Job.objects.put(KIND, number, delay=delay)


# --- A worker whose clock is wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_workers_wrong_clock_runs_nothing_early_and_nothing_twice(
    cast: Any, kind: Any, time_machine: Any, minutes: int
) -> None:
    """Python's clock is ten minutes off in either direction; due times, leases and pauses do not notice."""
    ran: list[int] = []
    kind(ran.append)
    time_machine.move_to(datetime.now(UTC) + timedelta(minutes=minutes))
    put(cast.workspace.pk, 1)
    put(cast.workspace.pk, 2, timedelta(minutes=5))
    held = claim(kind=KIND)
    assert held is not None
    time_machine.shift(timedelta(minutes=minutes))  # and it jumps while the job is in hand
    assert claim(kind=KIND) is None, "taken over although its lease runs, or run before its time"
    held.hold()
    run(held)
    assert run_due_jobs(limit=5, kind=KIND) == 0
    assert ran == [1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT due_at - clock_timestamp() FROM accounts_job WHERE kind = %s", [KIND])
        [(left,)] = cursor.fetchall()
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_lease_ends_by_the_databases_clock(cast: Any, kind: Any, time_machine: Any, minutes: int) -> None:
    kind(lambda number: None)
    put(cast.workspace.pk, 1)
    slow = claim(kind=KIND)
    expire_leases()
    time_machine.move_to(datetime.now(UTC) + timedelta(minutes=minutes))
    quick = claim(kind=KIND)
    assert slow is not None
    assert quick is not None, "the lease is over by the database's clock"
    with pytest.raises(LostLease):
        slow.extend(timedelta(minutes=1))
    quick.extend(timedelta(minutes=1))


# --- Workspaces kept apart -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("workspaces", "jobs"), [(8, 240), pytest.param(50, 10_000, marks=pytest.mark.soak)])
def test_interleaved_jobs_write_into_their_own_workspace_only(
    cast: Any, kind: Any, workspaces: int, jobs: int
) -> None:
    """Every third job fails half-way, so that scopes end by errors too."""
    homes = [make_workspace(f"w{number}", owner=cast.ada).pk for number in range(workspaces)]
    calls: Counter[int] = Counter()

    def handler(number: int) -> None:
        calls[number] += 1
        account = make_account(f"job-{number}-of-{current_workspace_id()}")
        Note.objects.create(account=account, body=str(number), created_at=NOW)
        if number % 3 == 0 and calls[number] == 1:
            raise ValueError

    kind(handler, retry_after=timedelta(0))
    numbers = list(range(jobs))
    Random(3).shuffle(numbers)
    for number in numbers:
        put(homes[number % workspaces], number)
    assert run_due_jobs(limit=3 * jobs, kind=KIND) == jobs + len(range(0, jobs, 3))
    for position, home in enumerate(homes):
        with workspace_scope(home):
            names = set(Account.objects.values_list("name", flat=True))
            assert names == {f"job-{number}-of-{home}" for number in range(position, jobs, workspaces)}
            assert Note.objects.count() == len(names)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turns", [300, pytest.param(10_000, marks=pytest.mark.soak)])
def test_a_reused_connection_keeps_nothing_of_the_workspace_before(cast: Any, turns: int) -> None:
    """One connection, two workspaces in turn, some scopes ending by an error: 0 foreign rows, and none between."""
    mine, theirs = cast.workspace.pk, cast.other.pk
    for home, name in ((mine, "Mine"), (theirs, "Theirs")):
        with workspace_scope(home):
            make_account(name)
    connection.ensure_connection()
    backend = connection.connection.info.backend_pid
    for turn in range(turns):
        home, name = ((mine, "Mine"), (theirs, "Theirs"))[turn % 2]
        try:
            with workspace_scope(home), connection.cursor() as cursor:
                cursor.execute("SELECT name FROM accounts_account")  # no filter: the database alone decides
                assert cursor.fetchall() == [(name,)]
                if turn % 5 == 0:
                    cursor.execute("SELECT 1 / 0")
        except Exception as error:
            if "division" not in str(error):
                raise
        with pytest.raises(NoScope):
            Account.objects.count()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('app.workspace', true)")
            assert cursor.fetchone()[0] in (None, "")
    assert connection.connection.info.backend_pid == backend, "another connection: the run proves nothing"


# --- Three schedulers at once --------------------------------------------------------------------------------------


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Each call in a thread of its own, let go at the same moment; returns results, raises the first error."""
    gate, results, errors = threading.Barrier(len(calls)), [], []

    def go(call: Callable[[], Any]) -> None:
        try:
            gate.wait(10)
            results.append(call())
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]
    return results


def tell(cast: Any, cause: str, at: datetime) -> None:
    with workspace_scope(cast.workspace.pk):
        Notification.objects.create(
            membership=cast.ben,
            kind="accounts.assigned",
            cause_key=cause,
            context={"count": 1, "names": ["Alder"]},
            created_at=at,
        )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("days", "per_day"), [(7, 2), pytest.param(7, 48, marks=[pytest.mark.soak, pytest.mark.slow])]
)
def test_three_schedulers_fill_each_slot_once(cast: Any, days: int, per_day: int) -> None:
    """Seven days, each beat struck three times at the same moment: one night per date, one digest per member and
    day, one pruning job per workspace, whatever the race."""
    begin = datetime(2026, 11, 2, 9, tzinfo=UTC)  # nine: the nights and the digests of the day are due
    Workspace.objects.update(time_zone="UTC")
    User.objects.update(time_zone="UTC")
    for day, beat in product(range(days), range(per_day)):
        tell(
            cast, f"{day}-{beat}", begin
        )  # something new at every beat: only the first of a day may be mailed
        now = begin + timedelta(days=day, minutes=beat * 14 * 60 / per_day)
        at_once(*[lambda now=now: start_due_nights(now)] * 3)
        at_once(*[lambda now=now: send_due_digests(now)] * 3)
        at_once(*[request_pruning] * 3)
        assert Job.objects.filter(kind=PRUNE_JOB, workspace=cast.workspace).count() == 1
    dates = {begin.date() + timedelta(days=day) for day in range(days)}
    for home in (cast.workspace, cast.other):
        with workspace_scope(home.pk):
            assert Counter(NightRun.objects.values_list("as_of", flat=True)) == Counter(dates)
            assert AuditEntry.objects.filter(action="health.night.started").count() == days
    with workspace_scope(cast.workspace.pk):
        working = {date for date in dates if date.weekday() < 5}
        assert Counter(NotificationDigest.objects.values_list("local_date", flat=True)) == Counter(working)
        assert OutboundEmail.objects.filter(kind="accounts.digest").count() == len(working)
