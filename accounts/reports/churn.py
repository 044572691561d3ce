"""Logo churn and revenue churn, month by month."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext

from accounts.charts import Chart, Series, line_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.retention import money_cells, money_headers
from accounts.reports.words import (
    few_customers,
    labels,
    money_of,
    month_name,
    no_full_month,
    nothing_yet,
    points,
    share_of,
    sheet_rate,
    span,
    unpriced_note,
)
from accounts.revenue.retention import Retention
from cs_platform.lib.formats import money, number, percent
from cs_platform.lib.stats import wilson_interval


def churn_report(context: ReportContext) -> ReportBody:
    """Logo churn and revenue churn of each full month."""
    if context.ledger.is_empty:
        return ReportBody(empty=nothing_yet())
    if not context.period.full_months:
        return ReportBody(empty=no_full_month())
    months = len(context.period.full_months)
    found, names = context.monthly[:months], labels(context.period)[:months]
    if not any(one.customers for one in found):
        return ReportBody(empty=gettext("Nobody was a customer at the start of a full month of this period."))
    return ReportBody(
        charts=[_chart(context, found, names)],
        formulas=churn_formulas(context.whole, context.currency),
        notes=[*few_customers(found), *_running_note(context), *unpriced_note(context)],
        headers=[
            "month",
            "customers",
            "lost",
            "logo_churn",
            "revenue_churn",
            *money_headers(context.currency),
        ],
        sheet=[
            [
                f"{month:%Y-%m}",
                o.customers,
                o.lost,
                sheet_rate(o.logo_churn),
                sheet_rate(o.revenue_churn),
                *money_cells(o, context.currency),
            ]
            for month, o in zip(context.period.full_months, found, strict=True)
        ],
    )


def churn_series(found: Sequence[Retention], currency: str) -> list[Series]:
    """Logo churn and revenue churn side by side, each point with its denominator."""
    return [
        Series(
            gettext("Logo churn"),
            [points(o.logo_churn) for o in found],
            [share_of(o.lost, o.customers) for o in found],
            "--chart-1",
        ),
        Series(
            gettext("Revenue churn"),
            [points(o.revenue_churn) for o in found],
            [money_of(o.churn, o.start, currency) for o in found],
            "--red-mark",
        ),
    ]


def _chart(context: ReportContext, found: Sequence[Retention], names: Sequence[str]) -> Chart:
    figure = line_chart(
        names,
        churn_series(found, context.currency),
        x_title=gettext("Month"),
        y_title=gettext("A month (%)"),
    )
    rows = [
        [
            name,
            share_of(o.lost, o.customers),
            money_of(o.churn, o.start, context.currency),
            money(o.contraction, context.currency),
        ]
        for name, o in zip(names, found, strict=True)
    ]
    return Chart(
        "report-churn",
        gettext("Logo churn and revenue churn, month by month"),
        _churn_reading(context),
        figure,
        [gettext("Month"), gettext("Logo churn"), gettext("Revenue churn"), gettext("Contraction")],
        rows[::-1],
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
