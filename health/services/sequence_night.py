"""Stage "sequence": end what has become pointless, wake what may go on, begin what is due."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from itertools import islice

from accounts.models import Job
from accounts.queries.segments import account_ids_in
from accounts.segments import TreeError, parse_tree
from health.models import RunState, Sequence, SequenceRun
from health.queries.sequence_exits import exit_reasons
from health.sequences.controls import WAIT_RULE
from health.sequences.definition import SequenceDefinition
from health.services.sequence_asks import close_left
from health.services.sequence_runs import RUN_JOB, exit_run, wake_runs
from health.services.sequences import enrol_due

CHUNK = 1000
STOPPED = "worker_stopped"


def run_sequences(*, as_of: date, now: datetime) -> int:
    """Returns how many runs were ended, woken or begun."""
    ended = end_pointless(now=now)
    close_left(now=now)
    woken = wake_matching(now=now) + mend_jobs()
    live = Sequence.objects.filter(paused_at__isnull=True, archived_at__isnull=True)
    begun = [enrol_due(sequence, now=now).begun for sequence in live.order_by("pk")]
    return ended + woken + sum(begun)


def enrol_by_job(sequence_id: int, *, now: datetime) -> int:
    """Look who is at the door of one sequence, for example after it was published."""
    sequence = Sequence.objects.filter(pk=sequence_id).first()
    return enrol_due(sequence, now=now).begun if sequence else 0


def end_pointless(*, now: datetime) -> int:
    """End the open runs whose exit conditions hold."""
    ended = 0
    rows = SequenceRun.objects.filter(state__in=[RunState.WAITING, RunState.PAUSED, RunState.FAILED])
    for chunk in _chunks(rows.select_related("version").order_by("pk").iterator(CHUNK)):
        reasons = exit_reasons(chunk, now=now)
        for run in chunk:
            if reason := reasons.get(run.pk):
                ended += exit_run(run=run, reason=reason, acting_user=None, now=now)
    return ended


def wake_matching(*, now: datetime) -> int:
    """Wake the runs whose rule matches now: one query per waiting step, not per run."""
    waiting: dict[tuple[int, int], list[SequenceRun]] = {}
    rows = SequenceRun.objects.filter(state=RunState.WAITING).select_related("version")
    for run in rows.order_by("pk").iterator(CHUNK):
        waiting.setdefault((run.version_id, run.position), []).append(run)
    woken: list[int] = []
    for (_version, position), runs in waiting.items():
        step = SequenceDefinition.of_json(runs[0].version.definition).steps[position]
        if step.kind == WAIT_RULE:
            woken += _matching(step.values["tree"], runs, now)
    wake_runs(woken)
    return len(woken)


def _matching(tree: object, runs: list[SequenceRun], now: datetime) -> list[int]:
    try:
        rule = parse_tree(tree)
    except TreeError:  # a field is gone: the run fails by itself when it comes up, and says so
        return [run.pk for run in runs]
    accounts = account_ids_in(rule, now=now, of={run.account_id for run in runs})
    return [run.pk for run in runs if run.account_id in accounts]


def mend_jobs() -> int:
    """Every run that should go on has a job; one whose job was given up is set aside as failed."""
    open_runs = SequenceRun.objects.filter(
        state__in=[RunState.ACTIVE, RunState.WAITING], sequence__pause_reason__in=["", "cap"]
    )
    ids = list(open_runs.values_list("pk", flat=True))
    if not ids:
        return 0
    jobs = dict(
        Job.objects.filter(
            kind=RUN_JOB, object_id__in=ids, workspace=open_runs.values_list("workspace_id", flat=True)[0]
        ).values_list("object_id", "parked_at")
    )
    given_up = [pk for pk, parked_at in jobs.items() if parked_at is not None]
    SequenceRun.objects.filter(pk__in=given_up).update(state=RunState.FAILED, end_reason=STOPPED)
    lost = [pk for pk in ids if pk not in jobs]
    wake_runs(lost)
    return len(lost)


def _chunks(rows: Iterable[SequenceRun]) -> Iterable[list[SequenceRun]]:
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
