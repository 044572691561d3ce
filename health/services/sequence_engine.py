"""Runs a sequence step by step. One transaction a step: its effect, its row and the run's advance commit together.

The job of a run is claimed with a lease and an owner; each transaction is fenced by it (`lease.hold()`), so a
killed or overtaken worker leaves either the whole step or nothing. Waits end by `now`, leases by the database.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.utils import timezone

from accounts.models import Job
from accounts.services.jobs import ComeBack, Lease, LostLease
from cs_platform.lib.scoping import workspace_scope
from health.models import RunState, SequenceRun, StepRun, StepState
from health.queries.sequence_exits import exit_reasons
from health.registry import run_locks, sequence_actions
from health.sequences.controls import CONTROLS
from health.sequences.definition import MOST_VISITS, NEXT, SequenceDefinition, Step
from health.sequences.spec import StepContext
from health.services.sequence_holdout import note_exposure
from health.services.sequence_runs import RUN_JOB, finish_run
from health.services.sequence_waits import Verdict, control_step

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 50
MAX_ATTEMPTS = 12


def run_by_job(lease: Lease) -> None:
    """Handler of the run's job: takes steps until the run waits, ends or has had its share."""
    for _turn in range(MOST_AT_ONCE):
        now = timezone.now()
        try:
            with workspace_scope(lease.workspace_id):
                lock_run(lease.object_id)
                lease.hold()
                due = take_step(lease.object_id, now=now)
        except LostLease:
            raise
        except Exception as error:
            if not _note_failure(lease, error):
                raise
            return
        if due is None:
            return
        if due > now:
            raise ComeBack(due - now)
    raise ComeBack(timedelta(0))


def lock_run(run_id: int) -> None:
    """Lock what the run's kind stands on, then the run. The row of its job comes last, as for whoever moves a run
    and then puts its job: so nobody waits for somebody who waits for them."""
    known = SequenceRun.objects.filter(pk=run_id).values_list("account_id", "sequence__kind").first()
    if known is not None and known[1] in run_locks:
        run_locks.get(known[1]).take(known[0])
    SequenceRun.objects.select_for_update().filter(pk=run_id).values_list("pk", flat=True).first()


def advance(run_id: int, *, now: datetime) -> datetime | None:
    """Take steps in the running scope until nothing is due at `now`; returns when to look again."""
    for _turn in range(MOST_AT_ONCE):
        due = take_step(run_id, now=now)
        if due is None or due > now:
            return due
    return now


def take_step(run_id: int, *, now: datetime) -> datetime | None:
    """At most one step of the run, in the caller's transaction. Returns when to come again, None = never."""
    run = SequenceRun.objects.select_for_update(of=("self",)).filter(pk=run_id)
    found = run.select_related("sequence", "version", "account", "contact").first()
    if found is None or found.state not in (RunState.ACTIVE, RunState.WAITING) or found.sequence.holds_runs:
        return None
    if reason := exit_reasons([found], now=now).get(found.pk):
        finish_run(found, state=RunState.EXITED, reason=reason, acting_user=None, now=now)
        return None
    if found.state == RunState.WAITING and found.next_due and found.next_due > now:
        return found.next_due
    definition = SequenceDefinition.of_json(found.version.definition)
    step = definition.steps[found.position]
    if step.kind in CONTROLS:
        verdict = control_step(found, step, now=now)
        if verdict.due is not None:
            return _wait(found, verdict.due, now)
    else:
        verdict = _act(found, step, now)
    return _go_on(found, definition, verdict, now)


def _act(run: SequenceRun, step: Step, now: datetime) -> Verdict:
    """Run a registered action; its rows and the step's row are one transaction with the advance."""
    action = sequence_actions.get(step.kind)
    row, _made = StepRun.objects.update_or_create(
        run=run,
        position=run.position,
        visit=run.visit,
        defaults={"kind": step.kind, "state": StepState.DONE, "began_at": now, "ended_at": now, "result": {}},
    )
    done = action.run(StepContext(run, step.id, step.values, row.pk, now))
    row.state = StepState.SKIPPED if done.is_skipped else StepState.DONE
    row.result, row.email_id, row.queue_item_id = done.data, done.email_id, done.queue_item_id
    row.save(update_fields=["state", "result", "email", "queue_item"])
    if not done.is_skipped:
        note_exposure(run, now=now)
    return Verdict(target="end" if done.ends_run else NEXT)


def _wait(run: SequenceRun, due: datetime, now: datetime) -> datetime:
    run.state, run.next_due = RunState.WAITING, due
    run.save(update_fields=["state", "next_due", "wait_ends"])
    return due


def _go_on(
    run: SequenceRun, definition: SequenceDefinition, verdict: Verdict, now: datetime
) -> datetime | None:
    place = definition.after(run.position, verdict.target)
    if place is None:
        finish_run(run, state=RunState.DONE, reason="completed", acting_user=None, now=now)
        return None
    visit = StepRun.objects.filter(run=run, position=place).count() + 1
    if visit > MOST_VISITS:
        finish_run(run, state=RunState.EXITED, reason="too_many_rounds", acting_user=None, now=now)
        return None
    run.position, run.visit, run.state = place, visit, RunState.ACTIVE
    run.next_due = run.wait_ends = None
    run.save(update_fields=["position", "visit", "state", "next_due", "wait_ends"])
    return now


def _note_failure(lease: Lease, error: Exception) -> bool:
    """Write down what went wrong; True when it was the last attempt and the run is set aside as failed."""
    last = lease.attempts >= MAX_ATTEMPTS
    with workspace_scope(lease.workspace_id):
        lock_run(lease.object_id)
        lease.hold()
        run = SequenceRun.objects.select_for_update().select_related("version").get(pk=lease.object_id)
        step = SequenceDefinition.of_json(run.version.definition).steps[run.position]
        StepRun.objects.update_or_create(
            run=run,
            position=run.position,
            visit=run.visit,
            defaults={
                "kind": step.kind,
                "state": StepState.FAILED,
                "ended_at": timezone.now(),
                "result": {"error": type(error).__name__},
            },
            create_defaults={
                "kind": step.kind,
                "state": StepState.FAILED,
                "began_at": timezone.now(),
                "ended_at": timezone.now(),
                "result": {"error": type(error).__name__},
            },
        )
        if last:
            log.error("sequence.run_failed", run_id=run.pk, error=type(error).__name__)
            run.state, run.end_reason = RunState.FAILED, type(error).__name__[:40]
            run.save(update_fields=["state", "end_reason"])
    return last


def nudge_run(run_id: int) -> None:
    """Have a run looked at now, in the transaction of what may have changed its way."""
    Job.objects.put(RUN_JOB, run_id)
