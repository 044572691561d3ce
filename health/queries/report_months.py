"""What the nights of a report's months saw: bands and features in use, of those who were customers then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.queries.report_context import ReportContext
from accounts.revenue.retention import Positions
from cs_platform.lib.arrays import read_arrays
from cs_platform.lib.periods import add_months, day_start, local_day, microseconds
from cs_platform.lib.scoping import current_workspace_id
from health.models import HealthBand, KeyFeature, MetricPosition

Ints = NDArray[np.int64]
BACK_DAYS = 10
MOST_FEATURES = 8
BANDS = (HealthBand.RED, HealthBand.YELLOW, HealthBand.GREEN, "")
_EPOCH = date(1970, 1, 1)

_NEAREST = """
SELECT wanted.day::date, (
    SELECT max(as_of) FROM {table}
    WHERE workspace_id = %(workspace)s AND as_of <= wanted.day::date AND as_of > wanted.day::date - %(back)s
)
FROM unnest(%(days)s::date[]) AS wanted(day)
"""
_SCORES = """
SELECT as_of - date '1970-01-01', account_id, CASE band WHEN 'red' THEN 0 WHEN 'yellow' THEN 1 WHEN 'green' THEN 2 ELSE 3 END
FROM health_healthscore WHERE workspace_id = %(workspace)s AND as_of = ANY(%(days)s)
"""


@dataclass(frozen=True, slots=True)
class BandMonth:
    """Customers of one night by band, and their ARR (minor units of the report currency at the rate of the night)."""

    month: date
    as_of: date
    accounts: dict[str, int]
    arr: dict[str, int]


@dataclass(frozen=True, slots=True)
class FeatureMonth:
    """One night. Per feature: customers that had used it in the 28 days before, and customers with data on it."""

    month: date
    as_of: date
    used: tuple[int, ...]
    known: tuple[int, ...]


def nights(context: ReportContext, table: str) -> dict[date, date]:
    """Per month of the period the last night with rows at most ten days before its end (or today); one query."""
    today = local_day(context.now, context.period.zone)
    ends = {min(add_months(month, 1), today): month for month in context.period.months}
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"workspace": current_workspace_id(), "days": list(ends), "back": BACK_DAYS}
        cursor.execute(_NEAREST.format(table=table), values)
        return {ends[day]: found for day, found in cursor.fetchall() if found}


def band_months(context: ReportContext) -> list[BandMonth]:
    """Months without a night near their end are left out. Two queries."""
    seen = nights(context, "health_healthscore")
    if not seen:
        return []
    values = {"workspace": context.workspace.pk, "days": sorted(set(seen.values()))}
    day, account, code = read_arrays(_SCORES, values, ("i4", "i8", "i4"))
    standing = Standing(context, sorted(set(seen.values())))
    found = []
    for month, as_of in sorted(seen.items()):
        here = day == (as_of - _EPOCH).days
        customer, arr = standing.on(as_of, account[here])
        bands = code[here]
        accounts = {str(band): int((customer & (bands == at)).sum()) for at, band in enumerate(BANDS)}
        money = {str(band): int(arr[bands == at].sum()) for at, band in enumerate(BANDS)}
        found.append(BandMonth(month, as_of, accounts, money))
    return found


class Standing:
    """Who was a customer at the first instant of each of some nights, and with what ARR."""

    def __init__(self, context: ReportContext, nights: Sequence[date]) -> None:
        ledger, zone = context.ledger, context.period.zone
        instants = [microseconds(day_start(night, zone)) for night in nights]
        positions = Positions(ledger, instants)
        self._known = ledger.accounts
        self._is_customer = positions.is_customer
        self._mrr = ledger.per_account(ledger.value(positions.balances, instants))
        self._at = {night: at for at, night in enumerate(nights)}

    def on(self, night: date, account_ids: Ints) -> tuple[NDArray[np.bool_], Ints]:
        """Of each account: whether it had MRR then, and its ARR."""
        known, at = self._known, self._at[night]
        if not known.size:
            return np.zeros(account_ids.size, dtype=bool), np.zeros(account_ids.size, dtype=np.int64)
        place = np.minimum(np.searchsorted(known, account_ids), known.size - 1)
        hit = known[place] == account_ids
        return hit & self._is_customer[place, at], np.where(hit, 12 * self._mrr[place, at], 0)


def key_features() -> list[KeyFeature]:
    """Features marked as key, in the admin's order, as many as a chart can show."""
    return list(KeyFeature.objects.order_by("position", "pk")[:MOST_FEATURES])


def feature_months(context: ReportContext, features: Sequence[KeyFeature]) -> list[FeatureMonth]:
    """By the snapshots of the nights, so by what was known then. Three queries."""
    places = dict(
        MetricPosition.objects.filter(key__in=[f"feature:{f.name}" for f in features]).values_list(
            "key", "position"
        )
    )
    seen = nights(context, "health_accountsnapshot")
    if not seen or not places:
        return []
    wanted = [places.get(f"feature:{feature.name}") for feature in features]
    values = {"workspace": context.workspace.pk, "days": sorted(set(seen.values()))}
    day, account, used, known = read_arrays(_snapshots(wanted), values, ("i4", "i8", "i4", "i4"))
    standing = Standing(context, sorted(set(seen.values())))
    found = []
    for month, as_of in sorted(seen.items()):
        here = day == (as_of - _EPOCH).days
        customer, _arr = standing.on(as_of, account[here])
        counts = (_counts(bits[here][customer], len(features)) for bits in (used, known))
        found.append(FeatureMonth(month, as_of, *counts))
    return found


def _counts(bits: Ints, size: int) -> tuple[int, ...]:
    return tuple(int(((bits >> at) & 1).sum()) for at in range(size))


def _snapshots(places: Sequence[int | None]) -> str:
    """Features in use, and features with data, as bits of a number. Positions count from 0, elements of an array from 1."""
    known = [(at, place + 1) for at, place in enumerate(places) if place is not None]
    used = " + ".join(f"CASE WHEN values[{place}] > 0 THEN {1 << at} ELSE 0 END" for at, place in known)
    data = " + ".join(
        f"CASE WHEN values[{place}] IS NOT NULL THEN {1 << at} ELSE 0 END" for at, place in known
    )
    return (
        f"SELECT as_of - date '1970-01-01', account_id, {used}, {data} FROM health_accountsnapshot"
        " WHERE workspace_id = %(workspace)s AND as_of = ANY(%(days)s)"
    )
