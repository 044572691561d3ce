"""What became of accounts between two moments, from subscriptions and their terms alone.

A period is half-open: its start counts what happened up to and at `began_at`, its end what happened before
`ends_at`. Terms learnt after `known_before` do not exist yet.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from accounts.models import ExchangeRate, Workspace
from cs_platform.lib.money import minor_places
from cs_platform.lib.scoping import current_workspace_id
from health.models import OutcomeKind

# `before` and `after` are (runs, arr): runs = number of subscriptions. Rates are those of the start for both
# ends, so that a moving rate is neither expansion nor contraction; a currency without any rate counts as 0.
_FACTS = """
SELECT p.id, p.account_id, before.arr AS arr_before, after.arr AS arr_after,
    CASE WHEN after.runs = 0 THEN '{churned}' WHEN after.arr < before.arr THEN '{contracted}'
         WHEN after.arr > before.arr THEN '{expanded}' ELSE '{retained}' END AS kind
FROM ({periods}) p
CROSS JOIN LATERAL ({before}) before
CROSS JOIN LATERAL ({after}) after
"""
_STANDING = """
SELECT count(*) AS runs, round(12 * coalesce(sum(coalesce(c.mrr_minor, s.mrr_minor) * r.factor), 0))::bigint AS arr
FROM accounts_subscription s
LEFT JOIN LATERAL (
    SELECT t.mrr_minor, t.currency FROM accounts_subscriptionchange t
    WHERE t.workspace_id = %(workspace)s AND t.subscription_id = s.id
        AND t.effective_at < {moment} AND t.known_at < %(known_before)s
    ORDER BY t.effective_at DESC LIMIT 1
) c ON true
LEFT JOIN LATERAL (
    SELECT v.factor FROM rates v WHERE v.currency = coalesce(c.currency, s.currency)
    ORDER BY v.on_date <= p.began_at::date DESC, abs(v.on_date - p.began_at::date) LIMIT 1
) r ON true
WHERE s.workspace_id = %(workspace)s AND s.account_id = p.account_id
    AND s.started_at < {moment} AND (s.ended_at IS NULL OR s.ended_at >= {moment})
"""


def outcome_facts(periods: str, *, known_before: datetime) -> tuple[str, str, dict[str, Any]]:
    """(WITH clause, SELECT, parameters) of (id, account_id, arr_before, arr_after, kind).

    `periods` is a sub-select of (id, account_id, began_at, ends_at); ARR in minor units of the report currency.
    """
    # Strictly before the next microsecond = up to and at the start itself.
    start = _STANDING.format(moment="p.began_at + interval '1 microsecond'")
    end = _STANDING.format(moment="p.ends_at")
    params = {"workspace": current_workspace_id(), "known_before": known_before}
    rates, values = _rates()
    kinds = {kind.name.lower(): kind.value for kind in OutcomeKind}
    select = _FACTS.format(periods=periods, before=start, after=end, **kinds)
    return f"WITH rates AS ({rates})", select, {**params, **values}


def _rates() -> tuple[str, dict[str, Any]]:
    """Rows (currency, on_date, factor): minor units of the report currency for one minor unit."""
    report = Workspace.objects.values_list("report_currency", flat=True).get(pk=current_workspace_id())
    rows: list[tuple[str, Any, float]] = [(report, date(2000, 1, 1), 1.0)]
    for currency, day, rate in ExchangeRate.objects.values_list("currency", "on_date", "rate"):
        if currency != report:
            rows.append(
                (currency, day, float(rate) * 10.0 ** (minor_places(report) - minor_places(currency)))
            )
    values = {"currencies": [row[0] for row in rows], "days": [row[1] for row in rows]}
    select = (
        "SELECT * FROM unnest(%(currencies)s::text[], %(days)s::date[], %(factors)s::float8[])"
        " AS known(currency, on_date, factor)"
    )
    return select, {**values, "factors": [row[2] for row in rows]}
