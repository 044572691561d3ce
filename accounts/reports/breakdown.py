"""Churn and retention of the whole period by group."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext

from accounts.charts import Chart, bar_chart
from accounts.charts.report import ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.churn import churn_formulas, churn_series
from accounts.reports.retention import money_cells, money_headers
from accounts.reports.words import (
    few_customers,
    money_of,
    no_full_month,
    nothing_yet,
    share_of,
    sheet_rate,
    unpriced_note,
)
from accounts.revenue.retention import Retention
from cs_platform.lib.formats import number, percent

MOST_GROUPS = 12


def breakdown_report(context: ReportContext) -> ReportBody:
    """The rates of the whole period by group of the chosen split."""
    if context.ledger.is_empty or context.split is None:
        return ReportBody(empty=nothing_yet())
    if not context.period.full_months:
        return ReportBody(empty=no_full_month())
    found = [(group.label, context.over(context.period, context.members(group))) for group in context.groups]
    found = sorted((pair for pair in found if pair[1].customers), key=lambda pair: -pair[1].start)
    if not found:
        return ReportBody(empty=gettext("Nobody was a customer at the start of this period."))
    return ReportBody(
        charts=[_chart(context, str(context.split.label), found)],
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
            *money_headers(context.currency),
        ],
        sheet=[
            [
                name,
                o.customers,
                o.lost,
                *map(sheet_rate, (o.logo_churn, o.revenue_churn, o.grr, o.nrr)),
                *money_cells(o, context.currency),
            ]
            for name, o in found
        ],
    )


def _chart(context: ReportContext, label: str, found: Sequence[tuple[str, Retention]]) -> Chart:
    """The largest groups as bars; the table has all of them."""
    shown = found[:MOST_GROUPS]
    figure = bar_chart(
        [name for name, _ in shown],
        churn_series([o for _, o in shown], context.currency),
        x_title=label,
        y_title=gettext("Whole period (%)"),
        lying=True,
    )
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
    headers = [label, gettext("Logo churn"), gettext("Revenue churn"), gettext("GRR"), gettext("NRR")]
    title = gettext("Logo and revenue churn by %(split)s") % {"split": label}
    return Chart("report-breakdown", title, _breakdown_reading(found), figure, headers, rows)


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
