"""What expansion brought, and from whom."""

from __future__ import annotations

import numpy as np
from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts.charts import Chart, Series, bar_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import (
    labels,
    major,
    money_of,
    nothing_yet,
    sheet_money,
    span,
    unpriced_note,
)
from accounts.revenue.steps import Kind
from cs_platform.lib.formats import money

TOP = 10


def expansion_report(context: ReportContext) -> ReportBody:
    """Expansion revenue by month, and the accounts that it came from."""
    if context.ledger.is_empty:
        return ReportBody(empty=nothing_yet())
    period, currency, found = context.period, context.currency, context.bridges
    names = labels(period)
    amounts = [one.expansion for one in found]
    series = Series(
        gettext("Expansion"),
        [major(a, currency) for a in amounts],
        [money(a, currency) for a in amounts],
        "--chart-3",
    )
    figure = bar_chart(names, [series], x_title=gettext("Month"), y_title=currency)
    full = found[: len(period.full_months)]
    total, opening = sum(one.expansion for one in full), full[0].opening if full else 0
    reading = gettext("Customers that were there already added %(total)s of MRR (%(span)s).") % {
        "total": money(total, currency),
        "span": span(period),
    }
    rows, sheet = _top_expansions(context)
    headers = [gettext("Account"), gettext("Expansion"), gettext("Last one")]
    return ReportBody(
        charts=[Chart("report-expansion", gettext("Expansion revenue"), reading, figure, headers, rows)],
        formulas=[
            Formula(
                gettext("Expansion"),
                gettext(
                    "MRR that was added by accounts with MRR, against the MRR at the start of the period"
                ),
                money_of(total, opening, currency),
                gettext("convention"),
            )
        ],
        notes=unpriced_note(context),
        headers=["account", "external_id", f"expansion_{currency}", "last_on"],
        sheet=sheet,
    )


def _top_expansions(context: ReportContext) -> tuple[list[list[str]], list[list[object]]]:
    """The largest ones on the page, all of them in the sheet."""
    found, period = context.steps, context.period
    here = (found.kind == Kind.EXPANSION) & (found.at >= period.start) & (found.at < period.boundaries[-1])
    sums = np.bincount(found.account[here], found.delta[here], minlength=context.ledger.accounts.size).astype(
        np.int64
    )
    last = np.zeros(sums.size, dtype=np.int64)
    np.maximum.at(last, found.account[here], found.at[here])
    order = [int(at) for at in np.argsort(-sums, kind="stable") if sums[at] > 0]
    accounts = context.names([int(context.ledger.accounts[at]) for at in order])
    rows: list[list[str]] = []
    sheet: list[list[object]] = []
    for at in order:
        name, external_id = accounts[int(context.ledger.accounts[at])]
        day = context.day(int(last[at]))
        if len(rows) < TOP:
            rows.append([name, money(int(sums[at]), context.currency), date_format(day)])
        sheet.append([name, external_id, sheet_money(int(sums[at]), context.currency), day.isoformat()])
    return rows, sheet
