"""What became of the accounts: whether the last subscription ended within the horizon after a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import EndedCause, Workspace
from cs_platform.lib.periods import day_start
from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.shards import ALL, Shard

Ints = NDArray[np.int64]
KINDS = {EndedCause.VOLUNTARY.value: 1, EndedCause.INVOLUNTARY.value: 2}  # as in health/ml/table.py

# Subscriptions that overlap or touch are one island; where it ends, the account's MRR is zero.
_ISLANDS = """
    SELECT account_id, extract(epoch FROM min(started_at))::float8,
        extract(epoch FROM max(ended_at))::float8, (array_agg(ended_cause ORDER BY ended_at DESC))[1]
    FROM (
        SELECT *, count(*) FILTER (WHERE covered IS NULL OR started_at > covered) OVER following AS island
        FROM (
            SELECT account_id, started_at, coalesce(ended_at, 'infinity') AS ended_at, ended_cause, id,
                max(coalesce(ended_at, 'infinity')) OVER (
                    PARTITION BY account_id ORDER BY started_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS covered
            FROM accounts_subscription WHERE workspace_id = %(workspace)s AND {share}
        ) s
        WINDOW following AS (PARTITION BY account_id ORDER BY started_at, id)
    ) islands GROUP BY account_id, island
"""


@dataclass(frozen=True, slots=True)
class Labels:
    """One row per account and day on which it was a customer and whose horizon is over.

    `as_of` holds proleptic ordinals; `label` 1 = no subscription was left at some moment of
    [as_of, as_of + horizon); `kind` 0 unknown, 1 voluntary, 2 involuntary, read where the label is 1.
    """

    account_ids: Ints
    as_of: Ints
    label: Ints
    kind: Ints


def labels(
    as_of_dates: Sequence[date], *, horizon_days: int, known_until: date, shard: Shard = ALL
) -> Labels:
    """Outcomes of the customers of each day; facts are known before the first instant of `known_until`.

    Days whose horizon is not over by then are left out whole: who left already is known, who stays is not.
    """
    zone = Workspace.objects.get(pk=current_workspace_id()).zone
    ids, started, ended, cause = _islands(shard)
    parts = []
    for day in as_of_dates:
        over = day + timedelta(days=horizon_days)
        if over <= known_until:
            now, then = day_start(day, zone).timestamp(), day_start(over, zone).timestamp()
            here = np.flatnonzero((started < now) & (ended >= now))
            days = np.full(here.size, day.toordinal())
            parts.append((ids[here], days, (ended[here] < then).astype(np.int64), cause[here]))
    if not parts:
        return Labels(*(np.zeros(0, dtype=np.int64) for _ in range(4)))
    return Labels(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _islands(shard: Shard) -> tuple[Ints, Any, Any, Ints]:
    with connection.cursor() as cursor:
        cursor.execute(_ISLANDS.format(share=shard.sql("account_id")), {"workspace": current_workspace_id()})
        rows = cursor.fetchall()
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    started, ended = (np.array([row[at] for row in rows], dtype=float) for at in (1, 2))
    return ids, started, ended, np.array([KINDS.get(row[3], 0) for row in rows], dtype=np.int64)
