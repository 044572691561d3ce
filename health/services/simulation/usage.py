"""Usage events by COPY, with the cells that the fold has to count again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection
from django.utils import timezone
from numpy.typing import NDArray

from accounts.models import Workspace
from cs_platform.lib.scoping import current_workspace_id
from health.models import IntakeBatch, KeyFeature
from health.services.fold_requests import request_fold
from health.services.simulation.identities import Target
from health.simulation.usage import EventBatch

_COLUMNS = (
    "workspace_id, account_id, contact_id, occurred_at, received_at, quantity,"
    " message_hash, name, user_key, group_key"
)
# Row-level security refuses COPY into the table itself, hence the stage. Both texts hold constants only.
_STAGE = f"CREATE TEMP TABLE simulated_event ON COMMIT DROP AS SELECT {_COLUMNS} FROM health_event LIMIT 0"  # nosec B608
_INSERT = (
    f"INSERT INTO health_event ({_COLUMNS}) SELECT {_COLUMNS} FROM simulated_event ON CONFLICT DO NOTHING"  # nosec B608
)
BATCH = 50_000
_EPOCH = date(1970, 1, 1)


def write_events(target: Target) -> int:
    """All usage events and one intake batch per chunk of them; returns the number of events."""
    for position, feature in enumerate(f for f in target.business.features if f.is_key):
        KeyFeature.objects.get_or_create(name=feature.event, defaults={"position": position})
    written = 0
    for batch in target.business.events(BATCH, told_days=target.told_days):
        _copy(target, batch, first=written)
        _touch_cells(target, batch)
        written += len(batch)
    request_fold()
    return written


def _copy(target: Target, batch: EventBatch, *, first: int) -> None:
    lines = "".join(_lines(target, batch, first))
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy(f"COPY simulated_event ({_COLUMNS}) FROM STDIN") as copy:
            copy.write(lines)
        cursor.execute(_INSERT)
        cursor.execute("DROP TABLE simulated_event")


def _lines(target: Target, batch: EventBatch, first: int) -> Iterator[str]:
    """Rows in COPY's text format. The keys are what a tracking library would have sent."""
    business, workspace_id = target.business, current_workspace_id()
    names = [feature.event for feature in business.features]
    people = [person.external_id for person in business.contacts]
    groups = [account.external_id for account in business.accounts]
    moments = np.char.add(batch.time.astype("datetime64[s]").astype(str), "+00").tolist()
    columns = (batch.account, batch.contact, batch.feature, batch.quantity)
    rows = zip(moments, *(column.tolist() for column in columns), strict=True)
    account_ids, contact_ids = target.account_ids.tolist(), target.contact_ids.tolist()
    for number, (moment, account, contact, feature, quantity) in enumerate(rows, start=first):
        message = f"sim-{business.spec.seed}-{target.told_days}-{number}".encode()
        person, key = (contact_ids[contact], people[contact]) if contact >= 0 else ("\\N", "")
        digest = hashlib.sha256(message).hexdigest()[:32]
        yield (
            f"{workspace_id}\t{account_ids[account]}\t{person}\t{moment}\t{moment}\t{quantity}"
            f"\t\\\\x{digest}\t{names[feature]}\t{key}\t{groups[account]}\n"
        )


def _touch_cells(target: Target, batch: EventBatch) -> None:
    """Name the (account, local day) cells of the batch, as the intake does."""
    zone = Workspace.objects.get(pk=current_workspace_id()).zone
    days = _local_days(batch.time, zone)
    cells = np.unique(np.column_stack([target.account_ids[batch.account], days]), axis=0)
    IntakeBatch.objects.create(
        received_at=timezone.now(),
        source="simulation",
        events=len(batch),
        account_ids=cells[:, 0].tolist(),
        days=[_EPOCH + timedelta(days=day) for day in cells[:, 1].tolist()],
    )


def _local_days(times: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    """Days since 1970 in a time zone; offsets are looked up once a quarter of an hour."""
    quarters, position = np.unique(times // 900, return_inverse=True)
    offsets = [
        datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone).utcoffset()
        for quarter in quarters.tolist()
    ]
    seconds = np.array([offset.total_seconds() if offset else 0 for offset in offsets])
    days: NDArray[np.int64] = ((times + seconds[position]) // 86400).astype(np.int64)
    return days
