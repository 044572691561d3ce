"""Waiting and branching: the steps that the engine itself decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Workspace
from accounts.queries.holidays import calendar
from accounts.queries.segments import matches
from accounts.segments import parse_tree
from cs_platform.lib.scoping import current_workspace_id
from health.models import SequenceRun, StepRun, StepState
from health.queries.sequence_preview import dates_of
from health.sequences import controls
from health.sequences.definition import NEXT, Step
from health.sequences.timing import after_wait, around_date

# How often a wait looks again by itself: for a rule or a CSM, and for a date that may move.
LOOK_AGAIN, LOOK_AT_DATE = timedelta(hours=4), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Go on at `target`, or come again at `due`."""

    target: str = NEXT
    due: datetime | None = None


def control_step(run: SequenceRun, step: Step, *, now: datetime) -> Verdict:
    """Decide a control step; writes its row. `run.wait_ends` is set, the caller saves it."""
    row = StepRun.objects.filter(run=run, position=run.position, visit=run.visit).first()
    if row is None or row.state == StepState.FAILED:
        row = _begin(run, step, row, now)
    deciders = {
        controls.WAIT: _wait,
        controls.WAIT_DATE: _wait_date,
        controls.WAIT_RULE: _wait_rule,
        controls.WAIT_ITEM: _wait_item,
        controls.BRANCH: _branch,
    }
    verdict, result = deciders[step.kind](run, step.values, now)
    if verdict.due is None:
        row.state, row.ended_at, row.result = StepState.DONE, now, result
        row.save(update_fields=["state", "ended_at", "result"])
    return verdict


def _begin(run: SequenceRun, step: Step, failed: StepRun | None, now: datetime) -> StepRun:
    run.wait_ends = _ends(step, now)
    run.next_due = None
    if failed is not None:
        failed.state, failed.began_at, failed.ended_at, failed.result = StepState.WAITING, now, None, {}
        failed.save()
        return failed
    made: StepRun = StepRun.objects.create(
        run=run,
        position=run.position,
        visit=run.visit,
        kind=step.kind,
        state=StepState.WAITING,
        began_at=now,
    )
    return made


def _ends(step: Step, now: datetime) -> datetime | None:
    """When the wait is over at the latest; None for dates (they may move) and branches."""
    if step.kind == controls.WAIT:
        amount, unit = step.values["amount"], step.values["unit"]
        zone = _workspace().zone
        days = calendar(now.astimezone(zone).date())
        return after_wait(now, amount, unit, zone=zone, is_off=days.is_off)
    if step.kind in (controls.WAIT_RULE, controls.WAIT_ITEM):
        return now + timedelta(days=step.values["amount"])
    return None


def _wait(run: SequenceRun, values: Any, now: datetime) -> tuple[Verdict, dict[str, Any]]:
    if run.wait_ends is not None and run.wait_ends > now:
        return Verdict(due=run.wait_ends), {}
    return Verdict(), {}


def _wait_date(run: SequenceRun, values: Any, now: datetime) -> tuple[Verdict, dict[str, Any]]:
    moment = account_date(run.account, values["date"])
    if moment is None:
        return Verdict(values["missing"]), {"why": "no_date"}
    due = around_date(moment, values["amount"], values["side"])
    if due > now:
        run.wait_ends = due
        return Verdict(due=min(due, now + LOOK_AT_DATE)), {}
    return Verdict(), {"date": moment.date().isoformat()}


def _wait_rule(run: SequenceRun, values: Any, now: datetime) -> tuple[Verdict, dict[str, Any]]:
    if matches(parse_tree(values["tree"]), run.account_id, now=now):
        return Verdict(), {"matched": True}
    return _look_again(run, values, now)


def _wait_item(run: SequenceRun, values: Any, now: datetime) -> tuple[Verdict, dict[str, Any]]:
    asked = StepRun.objects.filter(run=run, queue_item__isnull=False).select_related("queue_item")
    last = asked.order_by("-pk").first()
    if last is None or last.queue_item.closed_at is not None:
        return Verdict(), {"resolved": True}
    return _look_again(run, values, now)


def _look_again(run: SequenceRun, values: Any, now: datetime) -> tuple[Verdict, dict[str, Any]]:
    if run.wait_ends is None or run.wait_ends <= now:
        return Verdict(values["otherwise"]), {"timed_out": True}
    return Verdict(due=min(run.wait_ends, now + LOOK_AGAIN)), {}


def _branch(run: SequenceRun, values: Any, now: datetime) -> tuple[Verdict, dict[str, Any]]:
    holds = matches(parse_tree(values["tree"]), run.account_id, now=now)
    return Verdict(values["yes"] if holds else values["no"]), {"matched": holds}


def account_date(account: Any, name: str) -> datetime | None:
    return dates_of([account.pk], name).get(account.pk)


def _workspace() -> Workspace:
    found: Workspace = Workspace.objects.get(pk=current_workspace_id())
    return found
