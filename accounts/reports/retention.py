"""GRR and NRR, logo churn and revenue churn over time, and the same by group."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext

from accounts.charts import Chart, Series, bar_chart, line_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import (
    few_customers,
    labels,
    money_of,
    month_name,
    nothing_yet,
    points,
    share_of,
    sheet_money,
    sheet_rate,
    span,
    unpriced_note,
)
from accounts.revenue.retention import Retention
from cs_platform.lib.formats import DASH, money, number, percent
from cs_platform.lib.stats import wilson_interval

MOST_GROUPS = 12


def retention_report(context: ReportContext) -> ReportBody:
    """GRR and NRR of twelve months, at the end of every full month."""
    if context.ledger.is_empty:
        return ReportBody(empty=nothing_yet())
    months = len(context.period.full_months)
    found = context.yearly[:months]
    if not any(one.start for one in found):
        text = gettext("GRR and NRR look back twelve months; nobody was a customer that long ago.")
        return ReportBody(empty=text)
    names = labels(context.period)[:months]
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
    chart = Chart(
        "report-retention",
        gettext("GRR and NRR of twelve months"),
        _year_reading(context),
        figure,
        headers,
        rows[::-1],
    )
    return ReportBody(
        charts=[chart],
        formulas=retention_formulas(found[-1], context.currency),
        notes=[*few_customers(found), *unpriced_note(context)],
        headers=["month", "customers_year_before", "nrr", "grr", *_money_headers(context.currency)],
        sheet=[
            [
                f"{month:%Y-%m}",
                one.customers,
                sheet_rate(one.nrr),
                sheet_rate(one.grr),
                *_money_cells(one, context.currency),
            ]
            for month, one in zip(context.period.full_months, found, strict=True)
        ],
    )


def _rate_series(name: str, rates: Sequence[float | None], colour: str) -> Series:
    return Series(name, [points(rate) for rate in rates], [percent(rate, 1) for rate in rates], colour=colour)


def _year_row(name: str, one: Retention, currency: str) -> list[str]:
    amounts = (one.start, one.expansion, one.contraction, one.churn)
    return [name, percent(one.nrr, 1), percent(one.grr, 1), *(money(amount, currency) for amount in amounts)]


def _money_headers(currency: str) -> list[str]:
    return [
        f"{name}_{currency}" for name in ("start_mrr", "expansion", "contraction", "revenue_churn", "end_mrr")
    ]


def _money_cells(one: Retention, currency: str) -> list[object]:
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


def churn_report(context: ReportContext) -> ReportBody:
    """Logo churn and revenue churn of each full month."""
    if context.ledger.is_empty:
        return ReportBody(empty=nothing_yet())
    months = len(context.period.full_months)
    found, names = context.monthly[:months], labels(context.period)[:months]
    if not any(one.customers for one in found):
        return ReportBody(empty=gettext("Nobody was a customer at the start of a full month of this period."))
    series = [
        Series(
            gettext("Logo churn"),
            [points(o.logo_churn) for o in found],
            [share_of(o.lost, o.customers) for o in found],
            "--chart-1",
        ),
        Series(
            gettext("Revenue churn"),
            [points(o.revenue_churn) for o in found],
            [money_of(o.churn, o.start, context.currency) for o in found],
            "--red-mark",
        ),
    ]
    figure = line_chart(names, series, x_title=gettext("Month"), y_title=gettext("A month (%)"))
    headers = [gettext("Month"), gettext("Logo churn"), gettext("Revenue churn"), gettext("Contraction")]
    rows = [
        [
            name,
            share_of(o.lost, o.customers),
            money_of(o.churn, o.start, context.currency),
            money(o.contraction, context.currency),
        ]
        for name, o in zip(names, found, strict=True)
    ]
    chart = Chart(
        "report-churn",
        gettext("Logo churn and revenue churn, month by month"),
        _churn_reading(context),
        figure,
        headers,
        rows[::-1],
    )
    return ReportBody(
        charts=[chart],
        formulas=churn_formulas(context.whole, context.currency),
        notes=[*few_customers(found), *_running_note(context), *unpriced_note(context)],
        headers=[
            "month",
            "customers",
            "lost",
            "logo_churn",
            "revenue_churn",
            *_money_headers(context.currency),
        ],
        sheet=[
            [
                f"{month:%Y-%m}",
                o.customers,
                o.lost,
                sheet_rate(o.logo_churn),
                sheet_rate(o.revenue_churn),
                *_money_cells(o, context.currency),
            ]
            for month, o in zip(context.period.full_months, found, strict=True)
        ],
    )


def _running_note(context: ReportContext) -> list[str]:
    if not context.period.has_running:
        return []
    now = context.monthly[-1]
    return [
        gettext("%(month)s is not over: %(lost)s of %(all)s customers left so far. It is not in the rates.")
        % {
            "month": month_name(context.period.running),
            "lost": number(now.lost),
            "all": number(now.customers),
        }
    ]


def _churn_reading(context: ReportContext) -> str:
    one = context.whole
    return gettext("Over %(span)s: logo churn %(logo)s, revenue churn %(revenue)s.") % {
        "span": span(context.period),
        "logo": share_of(one.lost, one.customers),
        "revenue": money_of(one.churn, one.start, context.currency),
    }


def churn_formulas(one: Retention, currency: str) -> list[Formula]:
    """Logo churn with its interval, and revenue churn."""
    interval = wilson_interval(one.lost, one.customers) if one.customers else None
    said = share_of(one.lost, one.customers)
    if interval:
        said = gettext("%(rate)s, 95%% interval %(low)s–%(high)s") % {
            "rate": said,
            "low": percent(interval.low, 1),
            "high": percent(interval.high, 1),
        }
    return [
        Formula(
            gettext("Logo churn"),
            gettext(
                "customers of the start that are none at the end ÷ customers at the start (with MRR above zero)"
            ),
            said,
            gettext("convention; interval: Wilson"),
        ),
        Formula(
            gettext("Revenue churn"),
            gettext("MRR of the customers lost ÷ MRR at the start; contraction is not in it"),
            money_of(one.churn, one.start, currency),
            gettext("convention"),
        ),
    ]


def breakdown_report(context: ReportContext) -> ReportBody:
    """The rates of the whole period by group of the chosen split."""
    if context.ledger.is_empty or context.split is None:
        return ReportBody(empty=nothing_yet())
    found = [(group.label, context.over(context.period, context.members(group))) for group in context.groups]
    found = sorted((pair for pair in found if pair[1].customers), key=lambda pair: -pair[1].start)
    if not found:
        return ReportBody(empty=gettext("Nobody was a customer at the start of this period."))
    shown = found[:MOST_GROUPS]
    names = [name for name, _ in shown]
    series = [
        Series(
            gettext("Logo churn"),
            [points(o.logo_churn) for _, o in shown],
            [share_of(o.lost, o.customers) for _, o in shown],
            "--chart-1",
        ),
        Series(
            gettext("Revenue churn"),
            [points(o.revenue_churn) for _, o in shown],
            [money_of(o.churn, o.start, context.currency) for _, o in shown],
            "--red-mark",
        ),
    ]
    figure = bar_chart(
        names, series, x_title=str(context.split.label), y_title=gettext("Whole period (%)"), lying=True
    )
    headers = [
        str(context.split.label),
        gettext("Logo churn"),
        gettext("Revenue churn"),
        gettext("GRR"),
        gettext("NRR"),
    ]
    rows = [
        [
            name,
            share_of(o.lost, o.customers),
            money_of(o.churn, o.start, context.currency),
            percent(o.grr, 1),
            percent(o.nrr, 1),
        ]
        for name, o in found
    ]
    title = gettext("Churn by %(split)s") % {"split": str(context.split.label)}
    return ReportBody(
        charts=[Chart("report-breakdown", title, _breakdown_reading(found), figure, headers, rows)],
        formulas=churn_formulas(context.whole, context.currency),
        notes=[*_overlap_note(context), *few_customers([o for _, o in found]), *unpriced_note(context)],
        headers=[
            "group",
            "customers",
            "lost",
            "logo_churn",
            "revenue_churn",
            "grr",
            "nrr",
            *_money_headers(context.currency),
        ],
        sheet=[
            [
                name,
                o.customers,
                o.lost,
                *map(sheet_rate, (o.logo_churn, o.revenue_churn, o.grr, o.nrr)),
                *_money_cells(o, context.currency),
            ]
            for name, o in found
        ],
    )


def _overlap_note(context: ReportContext) -> list[str]:
    if context.split is None or not context.split.overlaps:
        return []
    return [gettext("An account can be in several groups, so the groups do not add up to the whole.")]


def _breakdown_reading(found: Sequence[tuple[str, Retention]]) -> str:
    name, worst = max(found, key=lambda pair: pair[1].revenue_churn or 0)
    if not worst.lost:
        return gettext("No group lost a customer.")
    return gettext(
        "The most revenue churn has %(name)s: %(rate)s of its MRR, %(lost)s of %(all)s customers."
    ) % {
        "name": name,
        "rate": percent(worst.revenue_churn, 1),
        "lost": number(worst.lost),
        "all": number(worst.customers),
    }
