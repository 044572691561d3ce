"""What happens to one run: begun, ended, held, let go on, tried again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts.models import Contact, Job, User
from accounts.services.audit import audit
from health.models import (
    RunState,
    SequenceRun,
    SequenceVersion,
    StepRun,
    StepState,
)
from health.services.sequence_asks import close_all, close_past

RUN_JOB = "health.sequence_run"
ENDED = (RunState.DONE, RunState.EXITED)


def begin_run(
    *,
    version: SequenceVersion,
    account_id: int,
    source: str,
    contact: Contact | None,
    acting_user: User | None,
    now: datetime,
) -> SequenceRun:
    """The run and its job; the caller has asked whether it may begin and holds the sequence's lock."""
    run: SequenceRun = SequenceRun.objects.create(
        sequence_id=version.sequence_id,
        version=version,
        account_id=account_id,
        contact=contact,
        source=source,
        started_by=acting_user,
        started_at=now,
    )
    Job.objects.put(RUN_JOB, run.pk)
    return run


def finish_run(run: SequenceRun, *, state: str, reason: str, acting_user: User | None, now: datetime) -> None:
    """End a locked run, and close what it asks of the CSM and does not need any more."""
    run.state, run.end_reason, run.finished_at, run.ended_by = state, reason[:40], now, acting_user
    run.next_due = run.wait_ends = None
    run.save(update_fields=["state", "end_reason", "finished_at", "ended_by", "next_due", "wait_ends"])
    StepRun.objects.filter(run=run, state=StepState.WAITING).update(
        state=StepState.SKIPPED, ended_at=now, result={"why": reason}
    )
    if state == RunState.EXITED:
        close_all(run, now=now)
        audit("health.sequence.run_exited", acting_user=acting_user, target=run, reason=reason)
    else:
        close_past(run, now=now)


@transaction.atomic
def exit_run(*, run: SequenceRun, reason: str, acting_user: User | None, now: datetime) -> bool:
    """End a run before its last step; False when it was over already."""
    locked = SequenceRun.objects.select_for_update().get(pk=run.pk)
    if locked.state in ENDED:
        return False
    finish_run(locked, state=RunState.EXITED, reason=reason, acting_user=acting_user, now=now)
    return True


@transaction.atomic
def pause_run(*, run: SequenceRun, acting_user: User) -> bool:
    """Hold one run where it is."""
    locked = SequenceRun.objects.select_for_update().get(pk=run.pk)
    if locked.state not in (RunState.ACTIVE, RunState.WAITING):
        return False
    locked.state = RunState.PAUSED
    locked.save(update_fields=["state"])
    audit("health.sequence.run_paused", acting_user=acting_user, target=locked)
    return True


@transaction.atomic
def resume_run(*, run: SequenceRun, acting_user: User) -> bool:
    """Let a held or failed run go on at its step; a wait that ended meanwhile is over."""
    locked = SequenceRun.objects.select_for_update().get(pk=run.pk)
    if locked.state not in (RunState.PAUSED, RunState.FAILED):
        return False
    locked.state = RunState.WAITING if locked.next_due else RunState.ACTIVE
    locked.end_reason = ""
    locked.save(update_fields=["state", "end_reason"])
    Job.objects.put(RUN_JOB, locked.pk)
    audit("health.sequence.run_resumed", acting_user=acting_user, target=locked)
    return True


def wake_runs(run_ids: Iterable[int]) -> None:
    """Have runs looked at now: what they wait for may have happened. In the transaction of the change."""
    for pk in run_ids:
        SequenceRun.objects.filter(pk=pk, state=RunState.WAITING).update(next_due=None)
        Job.objects.put(RUN_JOB, pk)


def wake_runs_of_items(item_ids: Iterable[int]) -> None:
    """A CSM resolved these queue items: the runs that asked for them may go on."""
    rows = StepRun.objects.filter(queue_item_id__in=list(item_ids), run__state=RunState.WAITING)
    wake_runs(rows.order_by("run_id").values_list("run_id", flat=True).distinct())
