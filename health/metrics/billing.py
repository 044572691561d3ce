"""What the customer pays, since when, until when, and what went wrong with it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from health.metrics.reading import SnapshotReading
from health.metrics.terms import next_renewal, rates, term_periods
from health.registry import Metric, MetricFamily, MetricGroup, MetricSource, Unit, Words

TRIED = 365  # days


def _billing(reading: SnapshotReading) -> str:
    """Today's terms, those of 180 days ago and the moves between plans, in one pass over the changes."""
    return f"""
        SELECT account_id, min(started_at) AS first_started, count(*) FILTER (WHERE now) AS subscriptions,
            sum(mrr) FILTER (WHERE now) AS mrr, sum(seats) FILTER (WHERE now) AS seats,
            sum(mrr) FILTER (WHERE now AND seats > 0) AS seated_mrr,
            max(term_months) FILTER (WHERE now) AS term_months,
            min({next_renewal(reading, "t")}) FILTER (WHERE now) AS renews_at,
            sum(mrr_before) FILTER (WHERE earlier) AS mrr_before,
            sum(seats) FILTER (WHERE earlier) AS seats_before,
            sum(mrr_before) FILTER (WHERE earlier AND seats > 0) AS seated_mrr_before,
            count(*) FILTER (WHERE is_move AND effective_at >= {reading.instant(365)}) AS plan_changes
        FROM ({term_periods(reading, 180)}) t GROUP BY account_id"""


def _payments(reading: SnapshotReading) -> str:
    return f"""
        SELECT account_id, count(*) AS failed_90
        FROM accounts_paymentattempt
        WHERE {reading.mine()} AND status = 'failed'
            AND attempted_at >= {reading.instant(90)} AND attempted_at < {reading.instant()}
        GROUP BY account_id"""


def _invoices(reading: SnapshotReading) -> str:
    return f"""
        SELECT account_id, count(*) AS unpaid
        FROM accounts_invoice
        WHERE {reading.mine()} AND status NOT IN ('draft', 'void')
            AND due_at < {reading.instant()} AND (paid_at IS NULL OR paid_at >= {reading.instant()})
        GROUP BY account_id"""


def _failing(reading: SnapshotReading) -> str:
    """Invoices that failed and were owed at the moment. What was paid of them in part is known as of today only.

    Tries of a year are read, not all there ever were: who failed before and is not tried any more is no news.
    """
    return f"""
        SELECT i.account_id, min(f.since) AS since, sum((i.amount_minor - i.amount_paid_minor) * rates.factor) AS owed
        FROM accounts_invoice i
        JOIN (
            SELECT invoice_id, min(attempted_at) AS since FROM accounts_paymentattempt
            WHERE {reading.mine()} AND status = 'failed'
                AND attempted_at >= {reading.instant(TRIED)} AND attempted_at < {reading.instant()}
            GROUP BY invoice_id
        ) f ON f.invoice_id = i.id
        LEFT JOIN ({rates(reading)}) rates ON rates.currency = i.currency
        WHERE {reading.mine("i")} AND i.status = 'open' AND i.amount_minor > i.amount_paid_minor
        GROUP BY i.account_id"""


SOURCES = (
    MetricSource("failing", _failing),
    MetricSource("billing", _billing),
    MetricSource("payments", _payments),
    MetricSource("invoices", _invoices),
)
FAMILIES: tuple[MetricFamily, ...] = ()


def definitions() -> list[Metric]:
    """The metrics of this group."""
    return [*_contract(), *_changes(), *_troubles()]


def _contract() -> list[Metric]:
    return [
        _metric(
            "mrr_minor",
            _("Monthly recurring revenue"),
            _("What the running subscriptions are worth per month, in the report currency."),
            "round(billing.mrr::numeric)",
            "sum of the MRR of subscriptions that run at as_of, by the latest exchange rate before it",
            unit=Unit.MONEY,
        ),
        _metric(
            "seats",
            _("Seats"),
            _("Seats paid for in the running subscriptions."),
            "billing.seats",
            "sum of seats of subscriptions that run at as_of",
        ),
        _metric(
            "subscriptions",
            _("Running subscriptions"),
            _("Subscriptions that have started and not ended."),
            "coalesce(billing.subscriptions, 0)",
            "count of subscriptions with started_at < as_of and no end before as_of",
        ),
        _metric(
            "days_to_renewal",
            _("Days to renewal"),
            _("Days until the first running subscription is renewed."),
            "ceil(date_part('epoch', billing.renews_at - facts.moment) / 86400)",
            "first renewal after as_of - as_of, in started days",
            unit=Unit.DAYS,
            better="neither",
        ),
        _metric(
            "long_term",
            _("Long contract"),
            _("A running subscription is renewed every six months or more rarely, so a renewal is an event."),
            "(billing.term_months >= 6)::int",
            "1 if the longest term of the running subscriptions is at least 6 months, else 0",
            unit=Unit.YES_NO,
            better="neither",
        ),
        _metric(
            "tenure_days",
            _("Tenure"),
            _("Days since the customer began."),
            "base.age_days",
            "as_of - earlier of account start and first subscription start",
            sources=(),
            unit=Unit.DAYS,
        ),
    ]


def _changes() -> list[Metric]:
    per_seat = "coalesce(billing.seated_mrr{0} / nullif(billing.seats{0}, 0), billing.mrr{0})"
    now, before = per_seat.format(""), per_seat.format("_before")
    return [
        _metric(
            "mrr_change_180",
            _("MRR change"),
            _("Monthly recurring revenue against 180 days before."),
            "100::float8 * (billing.mrr - billing.mrr_before) / nullif(billing.mrr_before, 0)",
            "100 * (mrr - mrr 180 days before) / mrr 180 days before; no data for newer customers",
            unit=Unit.PERCENT,
        ),
        _metric(
            "price_change_180",
            _("Price change"),
            _("What a seat costs against 180 days before (or the whole contract where seats are unknown)."),
            f"100::float8 * ({now} - {before}) / nullif({before}, 0)",
            "100 * (mrr per seat - the same 180 days before) / the same 180 days before",
            unit=Unit.PERCENT,
            better="down",
        ),
        _metric(
            "plan_changes_365",
            _("Plan changes"),
            _("How often a subscription moved to another plan in the last 365 days."),
            "billing.plan_changes",
            "count of subscription changes in [as_of - 365, as_of) with another plan than before",
            better="neither",
        ),
    ]


def _troubles() -> list[Metric]:
    return [
        _metric(
            "failed_payments_90",
            _("Failed payments"),
            _("Attempts to collect that failed in the last 90 days."),
            "CASE WHEN facts.has_payments THEN coalesce(payments.failed_90, 0) END",
            "count of failed payment attempts in [as_of - 90, as_of); no data while no payment or invoice is known",
            sources=("payments",),
            better="down",
            at_once=True,
        ),
        _metric(
            "unpaid_invoices",
            _("Unpaid invoices"),
            _("Invoices past their due date and not paid."),
            "CASE WHEN facts.has_payments THEN coalesce(invoices.unpaid, 0) END",
            "count of invoices with due_at < as_of, not paid before as_of, neither draft nor void",
            sources=("invoices",),
            better="down",
            at_once=True,
        ),
        _metric(
            "failed_open_minor",
            _("Failed and still open"),
            _("What is owed on open invoices whose payment failed, in the report currency."),
            "CASE WHEN facts.has_payments THEN coalesce(round(failing.owed::numeric), 0) END",
            "sum of amount - paid of open invoices with a failed attempt in [as_of - 365, as_of), by the latest"
            " exchange rate",
            sources=("failing",),
            unit=Unit.MONEY,
            better="down",
            at_once=True,
            in_model=False,
        ),
        _metric(
            "days_past_due",
            _("Days past due"),
            _("Days since the first failed try of the oldest open invoice."),
            "CASE WHEN facts.has_payments THEN"
            " coalesce(floor(date_part('epoch', facts.moment - failing.since) / 86400), 0) END",
            "whole days from the first failed attempt in [as_of - 365, as_of) of the oldest open invoice to as_of;"
            " 0 where none is open",
            sources=("failing",),
            unit=Unit.DAYS,
            better="down",
            at_once=True,
            in_model=False,
        ),
    ]


def _metric(
    name: str,
    label: Words,
    description: Words,
    sql: str,
    formula: str,
    *,
    sources: tuple[str, ...] = ("billing",),
    unit: Unit = Unit.COUNT,
    better: str = "up",
    at_once: bool = False,
    in_model: bool = True,
) -> Metric:
    return Metric(
        name=name,
        label=label,
        description=description,
        unit=unit,
        group=MetricGroup.BILLING,
        sql=sql,
        sources=sources,
        formula=formula,
        better=better,
        at_once=at_once,
        in_model=in_model,
    )
