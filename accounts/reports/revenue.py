"""MRR over time."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext

from accounts.charts import Chart, Series, line_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import (
    labels,
    major,
    month_name,
    nothing_yet,
    sheet_money,
    unpriced_note,
)
from accounts.revenue.bridge import Bridge, bridges
from cs_platform.lib.formats import money, number, percent

TOP = 10


def mrr_report(context: ReportContext) -> ReportBody:
    """MRR at each month's end; with `compare`, the months before as a dotted line."""
    if context.ledger.is_empty:
        return ReportBody(empty=nothing_yet())
    period, currency, found = context.period, context.currency, context.bridges
    names = labels(period)
    series = [_mrr_series(gettext("MRR"), found, currency)]
    if context.wanted.compare:
        before = bridges(context.ledger, period.before().boundaries)
        padded = [*before, *[None] * (len(found) - len(before))]
        series.append(_mrr_series(gettext("The months before"), padded, currency, dotted=True))
    headers = [
        gettext("Month"),
        gettext("MRR"),
        gettext("Change"),
        gettext("Customers"),
        gettext("MRR per customer"),
    ]
    rows = [_mrr_row(label, one, currency) for label, one in zip(names, found, strict=True)]
    figure = line_chart(names, series, x_title=gettext("End of the month"), y_title=currency)
    chart = Chart(
        "report-mrr", gettext("Monthly recurring revenue"), _mrr_reading(context), figure, headers, rows[::-1]
    )
    return ReportBody(
        charts=[chart],
        formulas=[_mrr_formula(context)],
        notes=unpriced_note(context),
        headers=["month", "is_complete", f"mrr_{currency}", "customers"],
        sheet=[
            [
                f"{month:%Y-%m}",
                int(month != period.running),
                sheet_money(one.closing, currency),
                one.customers_closing,
            ]
            for month, one in zip(period.months, found, strict=True)
        ],
    )


def _mrr_series(name: str, found: Sequence[Bridge | None], currency: str, *, dotted: bool = False) -> Series:
    return Series(
        name,
        [None if one is None else major(one.closing, currency) for one in found],
        ["" if one is None else money(one.closing, currency) for one in found],
        colour="--muted" if dotted else "--chart-1",
        is_dotted=dotted,
    )


def _mrr_row(label: str, one: Bridge, currency: str) -> list[str]:
    change = percent(one.closing / one.opening - 1, 1) if one.opening else "–"
    each = money(round(one.closing / one.customers_closing), currency) if one.customers_closing else "–"
    return [label, money(one.closing, currency), change, number(one.customers_closing), each]


def _mrr_reading(context: ReportContext) -> str:
    full = context.bridges[: len(context.period.full_months)]
    if not full:
        return gettext("The month is not over yet; MRR stands at %(now)s.") % {
            "now": money(context.bridges[-1].closing, context.currency)
        }
    first, last = full[0].opening, full[-1].closing
    values = {
        "before": money(first, context.currency),
        "after": money(last, context.currency),
        "start": month_name(context.period.first),
        "end": month_name(context.period.full_months[-1]),
        "change": percent(abs(last / first - 1), 1) if first else "",
    }
    if not first:
        return gettext("From nothing at the start of %(start)s to %(after)s at the end of %(end)s.") % values
    if last >= first:
        return (
            gettext(
                "Rose by %(change)s, from %(before)s at the start of %(start)s to %(after)s at the end of %(end)s."
            )
            % values
        )
    return (
        gettext(
            "Fell by %(change)s, from %(before)s at the start of %(start)s to %(after)s at the end of %(end)s."
        )
        % values
    )


def _mrr_formula(context: ReportContext) -> Formula:
    last = context.bridges[-1]
    return Formula(
        gettext("MRR"),
        gettext(
            "Sum of what every running subscription is worth a month, by the terms in force and the exchange rate of"
            " the day; a trial is worth nothing yet. ARR = 12 × MRR."
        ),
        gettext("%(customers)s customers, together %(mrr)s a month; 12 × %(mrr)s = %(arr)s a year")
        % {
            "customers": number(last.customers_closing),
            "mrr": money(last.closing, context.currency),
            "arr": money(12 * last.closing, context.currency),
        },
        gettext("convention"),
    )
