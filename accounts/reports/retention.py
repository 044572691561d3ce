"""GRR and NRR of twelve months, at the end of each."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext

from accounts.charts import Chart, Series, line_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import (
    few_customers,
    labels,
    month_name,
    no_full_month,
    nothing_yet,
    points,
    sheet_money,
    sheet_rate,
    unpriced_note,
)
from accounts.revenue.retention import Retention
from cs_platform.lib.formats import DASH, money, number, percent


def retention_report(context: ReportContext) -> ReportBody:
    """GRR and NRR of twelve months, at the end of every full month."""
    if context.ledger.is_empty:
        return ReportBody(empty=nothing_yet())
    if not context.period.full_months:
        return ReportBody(empty=no_full_month())
    months = len(context.period.full_months)
    found = context.yearly[:months]
    if not any(one.start for one in found):
        text = gettext("GRR and NRR look back twelve months; nobody was a customer that long ago.")
        return ReportBody(empty=text)
    return ReportBody(
        charts=[_chart(context, found)],
        formulas=retention_formulas(found[-1], context.currency),
        notes=[*few_customers(found), *unpriced_note(context)],
        headers=["month", "customers_year_before", "nrr", "grr", *money_headers(context.currency)],
        sheet=[
            [
                f"{month:%Y-%m}",
                one.customers,
                sheet_rate(one.nrr),
                sheet_rate(one.grr),
                *money_cells(one, context.currency),
            ]
            for month, one in zip(context.period.full_months, found, strict=True)
        ],
    )


def _chart(context: ReportContext, found: Sequence[Retention]) -> Chart:
    names = labels(context.period)[: len(found)]
    series = [
        _rate_series(gettext("NRR"), [one.nrr for one in found], "--chart-1"),
        _rate_series(gettext("GRR"), [one.grr for one in found], "--chart-3"),
    ]
    figure = line_chart(
        names,
        series,
        x_title=gettext("End of the month"),
        y_title=gettext("Twelve months (%)"),
        from_zero=False,
    )
    headers = [
        gettext("Month"),
        gettext("NRR"),
        gettext("GRR"),
        gettext("MRR a year before"),
        gettext("Expansion"),
        gettext("Contraction"),
        gettext("Revenue churn"),
    ]
    rows = [_year_row(name, one, context.currency) for name, one in zip(names, found, strict=True)]
    return Chart(
        "report-retention",
        gettext("GRR and NRR of twelve months"),
        _year_reading(context),
        figure,
        headers,
        rows[::-1],
    )


def _rate_series(name: str, rates: Sequence[float | None], colour: str) -> Series:
    return Series(name, [points(rate) for rate in rates], [percent(rate, 1) for rate in rates], colour=colour)


def _year_row(name: str, one: Retention, currency: str) -> list[str]:
    amounts = (one.start, one.expansion, one.contraction, one.churn)
    return [name, percent(one.nrr, 1), percent(one.grr, 1), *(money(amount, currency) for amount in amounts)]


def money_headers(currency: str) -> list[str]:
    """CSV columns of the amounts of a Retention."""
    return [
        f"{name}_{currency}" for name in ("start_mrr", "expansion", "contraction", "revenue_churn", "end_mrr")
    ]


def money_cells(one: Retention, currency: str) -> list[object]:
    """Their values, as plain decimals."""
    amounts = (one.start, one.expansion, one.contraction, one.churn, one.end)
    return [sheet_money(amount, currency) for amount in amounts]


def _year_reading(context: ReportContext) -> str:
    last = context.yearly[len(context.period.full_months) - 1]
    return gettext(
        "Of each 100 of MRR a year before, %(grr)s were kept and %(nrr)s are there with expansion (%(month)s)."
    ) % {
        "grr": number((last.grr or 0) * 100, 1) if last.grr is not None else DASH,
        "nrr": number((last.nrr or 0) * 100, 1) if last.nrr is not None else DASH,
        "month": month_name(context.period.full_months[-1]),
    }


def retention_formulas(one: Retention, currency: str) -> list[Formula]:
    """NRR and GRR with their numbers."""
    values = {
        "start": money(one.start, currency),
        "expansion": money(one.expansion, currency),
        "contraction": money(one.contraction, currency),
        "churn": money(one.churn, currency),
        "nrr": percent(one.nrr, 1),
        "grr": percent(one.grr, 1),
    }
    return [
        Formula(
            "NRR",
            gettext(
                "(start + expansion − contraction − revenue churn) ÷ start, all on the customers of the start: who came"
                " later is not in it; both sides at the exchange rates of the start"
            ),
            gettext("(%(start)s + %(expansion)s − %(contraction)s − %(churn)s) ÷ %(start)s = %(nrr)s")
            % values,
            gettext("Vitally, “Measuring NRR”"),
        ),
        Formula(
            "GRR",
            gettext("(start − revenue churn − contraction) ÷ start, without expansion; never above 100%"),
            gettext("(%(start)s − %(churn)s − %(contraction)s) ÷ %(start)s = %(grr)s") % values,
            gettext("convention"),
        ),
    ]
