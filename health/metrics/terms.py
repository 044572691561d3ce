"""Subscriptions as they stood at a moment, with money in the report currency: shared by metrics and states."""

from __future__ import annotations

from datetime import timedelta

from accounts.models import ExchangeRate
from cs_platform.lib.money import minor_places
from health.metrics.reading import SnapshotReading

INTERVAL_MONTHS = "CASE {interval} WHEN 'year' THEN 12 WHEN 'quarter' THEN 3 ELSE 1 END"


def terms(reading: SnapshotReading, back: int = 0) -> str:
    """A sub-select: one row per subscription that ran at the first instant of the day `back` days ago.

    Runs = started before that instant and not ended before it. Terms come from the latest change that was
    effective and known then. `mrr` is NULL where no exchange rate was known (`is_unpriced`).
    """
    moment = reading.instant(back)
    return f"""
        SELECT s.id, s.account_id, s.status, s.started_at, s.renews_at, s.properties,
            CASE WHEN c.id IS NULL THEN s.plan_id ELSE c.plan_id END AS plan_id,
            CASE WHEN c.id IS NULL THEN s.seats ELSE c.seats END AS seats,
            coalesce(c.billing_interval, s.billing_interval) AS billing_interval,
            coalesce(s.term_months, {INTERVAL_MONTHS.format(interval="coalesce(c.billing_interval, s.billing_interval)")})
                AS term_months,
            coalesce(c.mrr_minor, s.mrr_minor) * rates.factor AS mrr, rates.factor IS NULL AS is_unpriced
        FROM accounts_subscription s
        LEFT JOIN (
            SELECT DISTINCT ON (subscription_id) * FROM accounts_subscriptionchange
            WHERE workspace_id = {int(reading.workspace_id)}
                AND effective_at < {moment} AND known_at < {reading.instant()}
            ORDER BY subscription_id, effective_at DESC
        ) c ON c.subscription_id = s.id
        LEFT JOIN ({rates(reading, back)}) rates ON rates.currency = coalesce(c.currency, s.currency)
        WHERE {reading.mine("s")} AND {_runs("s", moment)}"""


def term_periods(reading: SnapshotReading, back: int) -> str:
    """A sub-select: one row per subscription and period between two known changes of its terms.

    `now` and `earlier` mark the period in which the reading's moment and the one `back` days before it
    lie, while the subscription ran; `mrr` and `mrr_before` are at the rates of these moments. `is_move`
    marks a period that began with another plan.
    """
    now, earlier = reading.instant(), reading.instant(back)
    interval = "coalesce(c.billing_interval, s.billing_interval)"
    amount, currency = "coalesce(c.mrr_minor, s.mrr_minor)", "coalesce(c.currency, s.currency)"
    return f"""
        SELECT s.account_id, s.started_at, s.renews_at, c.effective_at,
            CASE WHEN c.subscription_id IS NULL THEN s.seats ELSE c.seats END AS seats,
            coalesce(s.term_months, {INTERVAL_MONTHS.format(interval=interval)}) AS term_months,
            {amount} * rates.factor AS mrr, {amount} * rates_before.factor AS mrr_before,
            {_runs("s", now)} AND {_holds("c", now)} AS now, {_runs("s", earlier)} AND {_holds("c", earlier)} AS earlier,
            c.number > 1 AND c.plan_id IS DISTINCT FROM c.plan_before AS is_move
        FROM accounts_subscription s
        LEFT JOIN (
            SELECT subscription_id, effective_at, plan_id, mrr_minor, currency, seats, billing_interval,
                lead(effective_at) OVER following AS next_at, lag(plan_id) OVER following AS plan_before,
                row_number() OVER following AS number
            FROM accounts_subscriptionchange
            WHERE workspace_id = {int(reading.workspace_id)} AND effective_at < {now} AND known_at < {now}
            WINDOW following AS (PARTITION BY subscription_id ORDER BY effective_at)
        ) c ON c.subscription_id = s.id
        LEFT JOIN ({rates(reading)}) rates ON rates.currency = {currency}
        LEFT JOIN ({rates(reading, back)}) rates_before ON rates_before.currency = {currency}
        WHERE {reading.mine("s")} AND s.started_at < {now}"""


def _runs(alias: str, moment: str) -> str:
    return f"({alias}.started_at < {moment} AND ({alias}.ended_at IS NULL OR {alias}.ended_at >= {moment}))"


def _holds(alias: str, moment: str) -> str:
    return (
        f"({alias}.subscription_id IS NULL"
        f" OR ({alias}.effective_at < {moment} AND ({alias}.next_at IS NULL OR {alias}.next_at >= {moment})))"
    )


def rates(reading: SnapshotReading, back: int = 0) -> str:
    """A sub-select (currency, factor): minor units of the report currency for one minor unit, known by then."""
    report = reading.report_currency
    factors = {report: 1.0}
    known = ExchangeRate.objects.filter(on_date__lt=reading.as_of - timedelta(days=back))
    for currency, rate in known.order_by("on_date").values_list("currency", "rate"):
        if currency != report:
            factors[currency] = float(rate) * 10.0 ** (minor_places(report) - minor_places(currency))
    rows = ", ".join(f"({reading.bind(c)}, {factor!r}::float8)" for c, factor in factors.items())
    return f"SELECT * FROM (VALUES {rows}) AS known(currency, factor)"


def next_renewal(reading: SnapshotReading, alias: str) -> str:
    """When the term that runs at the reading's moment is renewed, from the rows of `terms`.

    Tonight's mirror says so itself. A row of the past keeps the date of its last term, which would tell
    how long it lived; there the renewal is found by stepping whole terms from any known one.
    """
    moment = reading.instant()
    anchor = f"coalesce({alias}.renews_at, {alias}.started_at)"
    age = f"age({moment}, {anchor})"
    whole = f"floor((extract(year FROM {age}) * 12 + extract(month FROM {age})) / {alias}.term_months)::int"
    step = f"{anchor} + make_interval(months => ({whole} + %d) * {alias}.term_months)"
    stepped = (
        "CASE "
        + " ".join(f"WHEN {step % n} > {moment} THEN {step % n}" for n in (0, 1))
        + f" ELSE {step % 2} END"
    )
    if reading.is_rebuilt:
        return stepped
    return f"CASE WHEN {alias}.renews_at > {moment} THEN {alias}.renews_at ELSE {stepped} END"
