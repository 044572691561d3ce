"""A case, the run of its notices and the rows of their jobs are locked in one order, so that nobody waits in a ring.

Each test holds one side where it has its first locks until the other side has its own, as a busy worker may.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import Job
from accounts.models.shared import JobManager
from accounts.services import jobs
from accounts.services.jobs import Lease
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from dunning.services.case_steps import CASE_JOB
from dunning.services.case_verbs import card_updated, resume, stop
from dunning.services.notices import FOLLOW_JOB, follow
from health.models import RunState, SequenceRun
from health.services.sequence_runs import RUN_JOB, wake_runs
from tests.dunning.notices.world import failed, hold_out, opened, owing

pytestmark = pytest.mark.django_db(transaction=True)
A_MOMENT = 2.0  # longer than Postgres waits before it looks for a ring


@pytest.fixture
def case(cast: Any) -> DunningCase:
    """Its notices run."""
    now = timezone.now() - timedelta(hours=1)
    with workspace_scope(cast.workspace.pk):
        account, _person = owing()
        made = opened(failed(account, at=now), now=now)
        hold_out(made, False)
        Job.objects.all().delete()
        return made


class Collision:
    """A job of this kind at work, and an act that puts it anew: each is held where it has its first locks."""

    def __init__(self, kind: str, object_id: int) -> None:
        self.kind, self.object_id = kind, object_id
        self.has_locks, self.has_lease = threading.Event(), threading.Event()
        self.acting, self.broken = threading.local(), list[BaseException]()
        self._put, self._hold = JobManager.put, Lease.hold

    def put(self, manager: Any, *args: Any, **values: Any) -> None:
        if getattr(self.acting, "is_here", False) and args[:2] == (self.kind, self.object_id):
            self.has_locks.set()
            self.has_lease.wait(A_MOMENT)
        self._put(manager, *args, **values)

    def hold(self, lease: Lease) -> None:
        self.has_locks.wait(A_MOMENT)
        self._hold(lease)
        self.has_lease.set()

    def act(self, workspace_id: int, act: Callable[[], Any]) -> None:
        self.acting.is_here = True
        with workspace_scope(workspace_id):
            act()

    def work(self) -> None:
        lease = jobs.claim(kind=self.kind)
        assert lease is not None
        with suppress(jobs.ComeBack):
            jobs.job_kinds.get(self.kind).handler(lease)

    def guarded(self, work: Callable[..., None], *args: Any) -> None:
        try:
            work(*args)
        except BaseException as error:
            self.broken.append(error)
        finally:
            connections.close_all()


def collide(
    cast: Any, monkeypatch: pytest.MonkeyPatch, kind: str, object_id: int, act: Callable[[], Any]
) -> list[BaseException]:
    """Run the job while `act` puts it under its locks; returns what went wrong."""
    both = Collision(kind, object_id)
    with workspace_scope(cast.workspace.pk):
        Job.objects.put(kind, object_id)
    monkeypatch.setattr(
        JobManager, "put", lambda manager, *args, **values: both.put(manager, *args, **values)
    )
    monkeypatch.setattr(Lease, "hold", lambda lease: both.hold(lease))
    threads = [
        threading.Thread(target=both.guarded, args=(both.act, cast.workspace.pk, act)),
        threading.Thread(target=both.guarded, args=(both.work,)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    monkeypatch.undo()
    assert both.has_locks.is_set() and both.has_lease.is_set()
    return both.broken


def test_notices_that_go_on_while_their_run_is_at_work(cast: Any, monkeypatch: Any, case: Any) -> None:
    now = timezone.now()
    with workspace_scope(cast.workspace.pk):
        stop(case=case, acting_user=cast.ada, now=now)
        follow(case.pk, now=now)
        run = SequenceRun.objects.get()
        assert run.state == RunState.PAUSED
        resume(case=case, acting_user=cast.ada, now=now)
        Job.objects.all().delete()
    assert collide(cast, monkeypatch, RUN_JOB, run.pk, lambda: follow(case.pk, now=now)) == []


def test_a_run_that_is_woken_while_it_is_at_work(cast: Any, monkeypatch: Any, case: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        run = SequenceRun.objects.get()
        SequenceRun.objects.update(state=RunState.WAITING)
    assert collide(cast, monkeypatch, RUN_JOB, run.pk, lambda: wake_runs([run.pk])) == []


def test_a_case_that_is_moved_while_its_job_is_at_work(cast: Any, monkeypatch: Any, case: Any) -> None:
    def act() -> None:
        card_updated(case=case, now=timezone.now())

    assert collide(cast, monkeypatch, CASE_JOB, case.pk, act) == []


def test_a_case_that_is_stopped_while_its_notices_follow(cast: Any, monkeypatch: Any, case: Any) -> None:
    def act() -> None:
        stop(case=case, acting_user=cast.ada, now=timezone.now())

    assert collide(cast, monkeypatch, FOLLOW_JOB, case.pk, act) == []
