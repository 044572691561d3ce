"""Failed payments of a period and what became of them, and how many first attempts failed, week by week."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import connection

from accounts.models import Workspace
from accounts.queries.currency import dated_rates
from accounts.queries.report_context import ReportContext
from accounts.revenue.rates import DatedRates
from cs_platform.lib.periods import local_day, microseconds
from dunning.recovery import RecoveryFact, WeekOfTries

# Card, country and kind of refusal are those of the attempt that failed first, the plan that of its day.
_CASES = """
SELECT c.account_id, c.failed_at, c.amount_minor, c.currency, c.state, c.recovered_by, c.recovered_minor, c.closed_at,
       coalesce(o.decline_class, c.decline_class), coalesce(f.brand, ''), coalesce(f.country, ''),
       c.attempts > 1 OR n.begun OR c.handed_over_at IS NOT NULL,
       n.begun, c.card_updated_at IS NOT NULL, coalesce(p.name, '')
FROM dunning_dunningcase c
LEFT JOIN LATERAL (
    SELECT coalesce(s.detail ->> 'decline_class', '') AS decline_class FROM dunning_dunningstep s
    WHERE s.workspace_id = c.workspace_id AND s.case_id = c.id AND s.number = 1
) o ON true
LEFT JOIN accounts_invoice i ON i.workspace_id = c.workspace_id AND i.id = c.invoice_id
LEFT JOIN accounts_subscription u ON u.workspace_id = c.workspace_id AND u.id = i.subscription_id
LEFT JOIN LATERAL (
    SELECT h.plan_id FROM accounts_subscriptionchange h
    WHERE h.workspace_id = c.workspace_id AND h.subscription_id = u.id AND h.effective_at <= c.failed_at
    ORDER BY h.effective_at DESC LIMIT 1
) t ON true
LEFT JOIN accounts_plan p ON p.workspace_id = c.workspace_id AND p.id = coalesce(t.plan_id, u.plan_id)
LEFT JOIN LATERAL (
    SELECT coalesce(nullif(a.brand, ''), a.method_kind) AS brand, a.country FROM accounts_paymentattempt a
    WHERE a.workspace_id = c.workspace_id AND a.invoice_id = c.invoice_id AND a.status = 'failed'
    ORDER BY a.attempted_at, a.number LIMIT 1
) f ON true
CROSS JOIN LATERAL (
    SELECT c.notice_run_id IS NOT NULL OR EXISTS (
        SELECT FROM dunning_dunningstep s
        WHERE s.workspace_id = c.workspace_id AND s.case_id = c.id AND s.kind = 'notice_begun') AS begun
) n
WHERE c.workspace_id = %(workspace)s AND c.failed_at >= %(start)s AND c.failed_at < %(end)s
ORDER BY c.failed_at, c.id
"""
# An invoice belongs to the week of its first attempt.
_FIRST_TRIES = """
SELECT date_trunc('week', first.attempted_at AT TIME ZONE %(zone)s)::date AS week,
       count(*), count(*) FILTER (WHERE first.status = 'failed'),
       coalesce(array_agg(first.decline_code) FILTER (WHERE first.status = 'failed'), '{}')
FROM (
    SELECT DISTINCT ON (a.invoice_id) a.attempted_at, a.status, a.decline_code FROM accounts_paymentattempt a
    WHERE a.workspace_id = %(workspace)s AND a.attempted_at < %(end)s
    ORDER BY a.invoice_id, a.attempted_at, a.number
) first
WHERE first.attempted_at >= %(start)s AND first.status <> 'pending'
GROUP BY 1 ORDER BY 1
"""


def recoveries(context: ReportContext) -> list[RecoveryFact]:
    """Cases whose first failure falls into the period, amounts in the report currency; read once a page."""
    if "recoveries" not in context.kept:
        start, end = context.period.instants
        context.kept["recoveries"] = read_recoveries(context.workspace, start=start, end=end)
    found: list[RecoveryFact] = context.kept["recoveries"]
    return found


def read_recoveries(workspace: Workspace, *, start: datetime, end: datetime) -> list[RecoveryFact]:
    """Cases whose first failure lies in [start, end); two queries."""
    values: dict[str, Any] = {"workspace": workspace.pk, "start": start, "end": end}
    with connection.cursor() as cursor:
        cursor.execute(_CASES, values)
        rows = cursor.fetchall()
    rates = dated_rates(workspace)
    failed, back = _valued(rows, 2, rates), _valued(rows, 6, rates)
    return [
        _fact(row, failed[at], back[at], local_day(row[1], workspace.zone)) for at, row in enumerate(rows)
    ]


def _valued(rows: Sequence[Any], column: int, rates: DatedRates) -> list[int | None]:
    """The amounts of one column at the rate of the day of the failure."""
    found: list[int | None] = [None] * len(rows)
    for currency in {row[3] for row in rows}:
        places = [at for at, row in enumerate(rows) if row[3] == currency]
        instants = np.array([microseconds(rows[at][1]) for at in places], dtype=np.int64)
        amounts = np.array([rows[at][column] for at in places], dtype=np.int64)
        worth = rates.value_then(amounts, currency, instants)
        for at, value, instant in zip(places, worth.tolist(), instants.tolist(), strict=True):
            found[at] = value if rates.before(currency, instant + 1) is not None else None
    return found


def _fact(row: Sequence[Any], amount: int | None, recovered: int | None, day: date) -> RecoveryFact:
    days = (row[7] - row[1]).total_seconds() / 86_400 if row[4] == "recovered" and row[7] else None
    return RecoveryFact(
        account_id=row[0],
        failed_on=day,
        amount_minor=amount,
        state=row[4],
        recovered_by=row[5],
        recovered_minor=recovered,
        days=days,
        decline_class=row[8],
        brand=row[9],
        country=row[10],
        was_worked=row[11],
        was_noticed=row[12],
        has_new_card=row[13],
        plan=row[14],
        currency=row[3],
        own_minor=row[2],
        own_recovered_minor=row[6],
    )


def first_tries(workspace: Workspace, *, start: datetime, end: datetime) -> list[WeekOfTries]:
    """Invoices first tried in [start, end) by local ISO week, oldest first, and how many of these tries failed."""
    values: dict[str, Any] = {
        "workspace": workspace.pk,
        "start": start,
        "end": end,
        "zone": str(workspace.zone),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_TRIES, values)
        return [
            WeekOfTries(week, tries, failed, tuple(codes)) for week, tries, failed, codes in cursor.fetchall()
        ]
