"""Snapshots: every metric of every account at the first instant of a local day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Greatest

from accounts.models import Import
from cs_platform.lib.shards import ALL, Shard
from cs_platform.lib.staging import write_staged
from health.metrics.catalogue import all_metrics, ensure_positions
from health.metrics.reading import SnapshotReading, snapshot_reading
from health.metrics.statement import snapshot_select
from health.models import AccountSnapshot, NightRun, RunStatus


def take_snapshots(*, as_of: date, shard: Shard = ALL, is_rebuilt: bool = False) -> int:
    """Write the snapshot of every account that ever had a subscription or usage; returns rows written.

    Repeatable until the night of `as_of` is done: from then on live snapshots stay as they are. A rebuilt
    snapshot never takes the place of a live one.
    """
    reading = snapshot_reading(as_of=as_of, shard=shard, is_rebuilt=is_rebuilt)
    metrics = all_metrics()
    positions = ensure_positions(metrics)
    select = snapshot_select(reading, metrics, positions)
    replaceable = "t.is_rebuilt" if is_rebuilt or _is_closed(as_of) else "true"
    return write_staged(select, reading.params, partial(_insert, reading, replaceable))


def rebuild_days(first: date, last: date, every_days: int = 7) -> list[date]:
    """Evenly spaced days of the past, oldest first, ending on `last`."""
    if every_days < 1:
        raise ValueError("every_days must be at least 1")
    steps = range((last - first).days // every_days, -1, -1) if last >= first else range(0)
    return [last - timedelta(days=every_days * step) for step in steps]


def _is_closed(as_of: date) -> bool:
    return NightRun.objects.filter(as_of=as_of, status=RunStatus.DONE).exists()


def is_fresh(day: date) -> bool:
    """Whether the day needs no rebuild: its snapshots are live, or know everything imported so far."""
    found = AccountSnapshot.objects.filter(as_of=day).aggregate(
        rows=Count("id"), rebuilt_at=Min("taken_at", filter=Q(is_rebuilt=True))
    )
    imported = _last_import()
    if found["rebuilt_at"] is None or imported is None:
        return bool(found["rows"])
    return bool(found["rebuilt_at"] > imported)


def _last_import() -> datetime | None:
    newest = Import.objects.aggregate(last=Max(Greatest("finished_at", "undone_at")))
    last: datetime | None = newest["last"]
    return last


def _insert(reading: SnapshotReading, replaceable: str, stage: str) -> str:
    return (
        "INSERT INTO health_accountsnapshot AS t (workspace_id, account_id, as_of, is_rebuilt, values)"
        f" SELECT {int(reading.workspace_id)}, account_id, {reading.day()}, {reading.is_rebuilt}, values"
        f" FROM {stage} ORDER BY account_id ON CONFLICT (workspace_id, as_of, account_id) DO UPDATE"
        " SET values = excluded.values, is_rebuilt = excluded.is_rebuilt, taken_at = now()"
        f" WHERE {replaceable}"
    )
