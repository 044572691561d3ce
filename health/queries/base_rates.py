"""How often a goal is reached without any experiment: what a plan starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from health.models import GOAL_KINDS
from health.queries.outcome_facts import outcome_facts

# Fewer customers say little about a rate; then, and for rates at the edge, one of these stands in.
ENOUGH = 30
STAND_IN, LOWEST, HIGHEST = 0.85, 0.02, 0.98
SAMPLE = 5_000


@dataclass(frozen=True, slots=True)
class BaseRate:
    """A rate in [0.02, 0.98] and the number of customers it comes from; 0 = an assumption."""

    rate: float
    accounts: int


# Those that had one of the bands by the last night before the window began.
_IN_BANDS = """
    AND EXISTS (
        SELECT 1 FROM health_healthscore h
        WHERE h.workspace_id = s.workspace_id AND h.account_id = s.account_id AND h.band = ANY(%(bands)s)
            AND h.as_of = (SELECT max(as_of) FROM health_healthscore
                           WHERE workspace_id = %(workspace)s AND as_of <= %(began)s::date)
    )"""


def base_rate(*, outcome: str, window_days: int, now: datetime, bands: Sequence[str] = ()) -> BaseRate:
    """Share of the customers of one window ago that reached the goal by now; of 5,000 of them at most.

    `bands`: only those that were in one of these bands then.
    """
    periods = f"""
        SELECT s.account_id AS id, s.account_id, %(began)s::timestamptz AS began_at, %(now)s::timestamptz AS ends_at
        FROM accounts_subscription s
        WHERE s.workspace_id = %(workspace)s AND s.started_at <= %(began)s
            AND (s.ended_at IS NULL OR s.ended_at > %(began)s) {_IN_BANDS if bands else ""}
        GROUP BY s.account_id ORDER BY md5(s.account_id::text) LIMIT %(sample)s"""
    with_clause, select, params = outcome_facts(periods, known_before=now)
    params |= {"began": now - timedelta(days=window_days), "now": now, "sample": SAMPLE, "bands": list(bands)}
    with connection.cursor() as cursor:
        cursor.execute(
            f"{with_clause} SELECT count(*), count(*) FILTER (WHERE kind = ANY(%(kinds)s)) FROM ({select}) facts",
            {**params, "kinds": list(GOAL_KINDS[outcome])},
        )
        accounts, reached = cursor.fetchone()
    if accounts < ENOUGH:
        return BaseRate(STAND_IN, 0)
    return BaseRate(min(max(reached / accounts, LOWEST), HIGHEST), accounts)
