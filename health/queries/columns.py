"""Columns of one day as arrays: metrics by key, with scores and probabilities beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.shards import ALL, Shard
from health.models import MetricPosition

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class DayColumns:
    """`account_ids` (N,) ascending; `columns` key -> (N,) float64 with nan where there is no data."""

    account_ids: Ints
    columns: Mapping[str, Floats]

    def matrix(self, keys: Sequence[str]) -> Floats:
        """(N, K) in the order of `keys`."""
        if not keys:
            return np.zeros((self.account_ids.size, 0))
        return np.column_stack([self.columns[key] for key in keys])


def metric_columns(*, as_of: date, keys: Sequence[str], shard: Shard = ALL) -> DayColumns:
    """Values of the day's snapshots; a key that no snapshot ever held is all nan."""
    places = dict(MetricPosition.objects.filter(key__in=keys).values_list("key", "position"))
    known = [key for key in keys if key in places]
    # Postgres counts array places from 1.
    picks = "".join(f", values[{int(places[key]) + 1}]" for key in known)
    rows = _rows(
        f"SELECT account_id{picks} FROM health_accountsnapshot"
        f" WHERE workspace_id = %s AND as_of = %s AND {shard.sql('account_id')} ORDER BY account_id",
        [current_workspace_id(), as_of],
    )
    columns = {key: rows[:, at + 1] for at, key in enumerate(known)}
    empty = np.full(rows.shape[0], np.nan)
    return DayColumns(rows[:, 0].astype(np.int64), {key: columns.get(key, empty) for key in keys})


def last_known(*, as_of: date, key: str, within_days: int, account_ids: Ints) -> tuple[Floats, Floats]:
    """Last value of a metric in earlier snapshots and its age in days, aligned to `account_ids`."""
    place = MetricPosition.objects.filter(key=key).values_list("position", flat=True).first()
    values, ages = np.full(account_ids.size, np.nan), np.full(account_ids.size, np.nan)
    if place is None:
        return values, ages
    value = f"values[{int(place) + 1}]"
    rows = _rows(
        f"SELECT DISTINCT ON (account_id) account_id, {value}, %s::date - as_of FROM health_accountsnapshot"
        f" WHERE workspace_id = %s AND as_of < %s AND as_of >= %s AND {value} IS NOT NULL"
        " ORDER BY account_id, as_of DESC",
        [as_of, current_workspace_id(), as_of, as_of - timedelta(days=within_days)],
    )
    found = np.searchsorted(rows[:, 0], account_ids)
    found[found >= rows.shape[0]] = 0
    hit = rows[found, 0] == account_ids if rows.shape[0] else np.zeros(account_ids.size, dtype=bool)
    values[hit], ages[hit] = rows[found[hit], 1], rows[found[hit], 2]
    return values, ages


def scores_of(*, as_of: date, account_ids: Ints) -> Floats:
    """Health scores of the day, aligned; nan where there is none."""
    return _aligned(
        "SELECT account_id, score FROM health_healthscore WHERE workspace_id = %s AND as_of = %s",
        as_of,
        account_ids,
    )


def probabilities_of(*, as_of: date, version_id: int | None, account_ids: Ints) -> Floats:
    """Churn probabilities of the day by one model version, aligned; all nan without a version."""
    sql = "SELECT account_id, probability FROM health_churnprediction WHERE workspace_id = %s AND as_of = %s"
    return _aligned(f"{sql} AND version_id = {int(version_id or 0)}", as_of, account_ids)


def _aligned(sql: str, as_of: date, account_ids: Ints) -> Floats:
    rows = _rows(f"{sql} ORDER BY account_id", [current_workspace_id(), as_of])
    out = np.full(account_ids.size, np.nan)
    if rows.shape[0]:
        found = np.minimum(np.searchsorted(rows[:, 0], account_ids), rows.shape[0] - 1)
        hit = rows[found, 0] == account_ids
        out[hit] = rows[found[hit], 1]
    return out


def _rows(sql: str, parameters: list[Any]) -> Floats:
    """All rows as (N, C) float64; NULL becomes nan. Bigint ids stay exact below 2**53."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        width = len(cursor.description)
        fetched = cursor.fetchall()
    if not fetched:
        return np.zeros((0, width))
    return np.array(fetched, dtype=object).astype(np.float64)
