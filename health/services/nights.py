"""The night: stages one after the other, each a row with a cursor, run by any worker, redone after a crash.

A night of a date exists once (unique key). Each stage has one row per shard and one job per
row. A shard's rows and its DONE commit together; the last shard of a stage opens the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Job, User, Workspace
from accounts.registry import job_kinds
from accounts.services.audit import audit
from accounts.services.heartbeat import heartbeat
from accounts.services.jobs import Lease
from accounts.services.notifications import notify_admins
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import workspace_scope
from cs_platform.lib.shards import Shard
from health.models import NightRun, RunStatus, StageRun
from health.news import NIGHT_FAILED
from health.signals import night_finished

log = structlog.get_logger(__name__)

STAGE_JOB = "health.stage"
SHARD_ACCOUNTS = 25_000
# From here on a stage is worth spreading over the cores of one machine, though one worker could hold it.
SPREAD_ACCOUNTS, SPREAD_SHARDS = 2_500, 4


@dataclass(frozen=True)
class Stage:
    """`run(as_of, now, shard)` returns the rows written; a stage that is not sharded runs once."""

    name: str
    run: Callable[[date, datetime, Shard], int]
    sharded: bool = True


def _fold(as_of: date, now: datetime, shard: Shard) -> int:
    from health.services.fold import fold_pending

    total = 0
    while done := fold_pending(limit=200):
        total += done
    return total


def _snapshot(as_of: date, now: datetime, shard: Shard) -> int:
    from health.services.snapshots import take_snapshots

    return take_snapshots(as_of=as_of, shard=shard)


def _score(as_of: date, now: datetime, shard: Shard) -> int:
    from health.services.scores import score_day

    return score_day(as_of=as_of, shard=shard)


def _predict(as_of: date, now: datetime, shard: Shard) -> int:
    from health.services.predictions import predict_day

    return predict_day(as_of=as_of, shard=shard)


def _state(as_of: date, now: datetime, shard: Shard) -> int:
    from health.services.states import refresh_states

    return refresh_states(as_of=as_of, shard=shard)


def _segment(as_of: date, now: datetime, shard: Shard) -> int:
    from health.services.segments import fill_segments

    return fill_segments(as_of=as_of, now=now)


def _risk(as_of: date, now: datetime, shard: Shard) -> int:
    from health.services.risks import find_risks

    return find_risks(as_of=as_of, shard=shard)


def _sequence(as_of: date, now: datetime, shard: Shard) -> int:
    from health.services.sequence_night import run_sequences

    return run_sequences(as_of=as_of, now=now)


def _queue(as_of: date, now: datetime, shard: Shard) -> int:
    from health.services.queue import fill_queue

    return fill_queue(as_of=as_of, now=now, shard=shard)


def _outcome(as_of: date, now: datetime, shard: Shard) -> int:
    from health.services.outcomes import settle_outcomes

    return settle_outcomes(as_of=as_of, now=now, shard=shard)


def _tell(as_of: date, now: datetime, shard: Shard) -> int:
    from health.services.telling import tell_news

    return tell_news(as_of=as_of, now=now)


STAGES = (
    Stage("fold", _fold, sharded=False),
    Stage("snapshot", _snapshot),
    Stage("score", _score),
    Stage("predict", _predict),
    Stage("state", _state),
    Stage("segment", _segment, sharded=False),
    Stage("risk", _risk),
    Stage("sequence", _sequence, sharded=False),
    Stage("queue", _queue),
    Stage("outcome", _outcome),
    Stage("tell", _tell, sharded=False),
)


def due_date(workspace: Workspace, now: datetime) -> date | None:
    """The local date whose night is due: the local hour is reached. Late starts score the right date."""
    today = local_day(now, workspace.zone)
    wall = datetime.combine(today, datetime.min.time()) + timedelta(hours=workspace.night_hour)
    begins = wall.replace(tzinfo=workspace.zone).astimezone(UTC)
    return today if now >= begins else None


def start_night(*, as_of: date, acting_user: User | None, again: bool = False) -> NightRun:
    """The night of a date in the running workspace; made and queued if it is not there.

    `again` runs a finished night once more (after an import, on demand); a running one goes on, and
    what was given up or waits for its next attempt is tried at once.
    """
    with transaction.atomic():
        night, created = NightRun.objects.get_or_create(as_of=as_of, defaults={"requested_by": acting_user})
        night = NightRun.objects.select_for_update().get(pk=night.pk)
        running = not created and night.status in (RunStatus.WAITING, RunStatus.STARTED)
        if not created and not again:
            return night
        if running and _go_on(night):
            return night
        StageRun.objects.filter(night=night).delete()
        NightRun.objects.filter(pk=night.pk).update(
            status=RunStatus.STARTED, started_at=timezone.now(), finished_at=None, result={}
        )
        _open_stage(night, 0)
        audit("health.night.started", acting_user=acting_user, target=night, as_of=as_of.isoformat())
    night.refresh_from_db()
    return night


def _go_on(night: NightRun) -> bool:
    """Bring the unfinished stages forward; False when the night has none (it never began)."""
    waiting = list(StageRun.objects.filter(night=night).exclude(status=RunStatus.DONE))
    for row in waiting:  # one that runs is done when it comes up again, and says so at once
        Job.objects.put(STAGE_JOB, row.pk)
    return bool(waiting)


def is_given_up(night: NightRun) -> bool:
    """Whether an unfinished stage failed so often that nobody tries it any more."""
    stages = StageRun.objects.filter(night=night).exclude(status=RunStatus.DONE)
    parked = Job.objects.filter(
        kind=STAGE_JOB,
        workspace=night.workspace_id,
        object_id__in=list(stages.values_list("pk", flat=True)),
    )
    return bool(parked.filter(parked_at__isnull=False).exists())


def _open_stage(night: NightRun, position: int) -> None:
    stage = STAGES[position]
    shards = shard_count(Account.objects.count()) if stage.sharded else 1
    for index in range(shards):
        row = StageRun.objects.create(
            night=night, stage=stage.name, position=position, shard=index, shards=shards
        )
        Job.objects.put(STAGE_JOB, row.pk)


def shard_count(accounts: int) -> int:
    """How many shards a stage is cut into: enough for the cores, and none above SHARD_ACCOUNTS."""
    spread = min(SPREAD_SHARDS, ceil(accounts / SPREAD_ACCOUNTS))
    return max(1, spread, ceil(accounts / SHARD_ACCOUNTS))


def run_stage(lease: Lease) -> None:
    """Handler of the stage job. Long work: a heartbeat keeps the lease, `hold` fences the commit."""
    with heartbeat(lease):
        with workspace_scope(lease.workspace_id):
            row = StageRun.objects.select_related("night").filter(pk=lease.object_id).first()
            if row is None or row.status == RunStatus.DONE:
                return
            StageRun.objects.filter(pk=row.pk).update(
                status=RunStatus.STARTED, started_at=timezone.now(), finished_at=None, error=""
            )
        try:
            _run_shard(lease, row)
        except Exception as error:
            _note_failure(lease, row, error)
            raise


def _run_shard(lease: Lease, row: StageRun) -> None:
    stage = STAGES[row.position]
    started = time.monotonic()
    with workspace_scope(lease.workspace_id):
        rows = stage.run(row.night.as_of, timezone.now(), Shard(row.shard, row.shards))
        lease.hold()
        StageRun.objects.filter(pk=row.pk).update(
            status=RunStatus.DONE,
            finished_at=timezone.now(),
            seconds=round(time.monotonic() - started, 3),
            rows=rows,
        )
        _advance(row)


def _advance(row: StageRun) -> None:
    night = NightRun.objects.select_for_update().get(pk=row.night_id)
    waiting = StageRun.objects.filter(night=night, position=row.position).exclude(status=RunStatus.DONE)
    if waiting.exists() or StageRun.objects.filter(night=night, position=row.position + 1).exists():
        return
    if row.position + 1 < len(STAGES):
        _open_stage(night, row.position + 1)
        return
    NightRun.objects.filter(pk=night.pk).update(
        status=RunStatus.DONE, finished_at=timezone.now(), result=_result(night)
    )
    night_finished.send(night.pk)


def _result(night: NightRun) -> dict[str, int]:
    totals: dict[str, int] = {}
    for stage, rows in StageRun.objects.filter(night=night).values_list("stage", "rows"):
        totals[stage] = totals.get(stage, 0) + (rows or 0)
    return totals


def _note_failure(lease: Lease, row: StageRun, error: Exception) -> None:
    with workspace_scope(lease.workspace_id):
        lease.hold()
        StageRun.objects.filter(pk=row.pk).update(status=RunStatus.FAILED, error=type(error).__name__)
        if lease.attempts >= job_kinds.get(STAGE_JOB).max_attempts:
            notify_admins(
                kind=NIGHT_FAILED,
                cause_key=f"{row.night_id}:{row.stage}",
                context={"night": str(row.night.public_id), "as_of": row.night.as_of.isoformat()},
                now=timezone.now(),
            )


def start_due_nights(now: datetime) -> int:
    """Open the night of every workspace whose local hour has come; returns how many were opened."""
    opened = 0
    for workspace in Workspace.objects.order_by("pk"):
        as_of = due_date(workspace, now)
        if as_of is None:
            continue
        with workspace_scope(workspace.pk):
            if not NightRun.objects.filter(as_of=as_of).exists():
                start_night(as_of=as_of, acting_user=None)
                opened += 1
    return opened
