"""What expansion brought, and from whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts.charts import Chart, Series, bar_chart
from accounts.charts.report import Formula, LateRows, ReportBody
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
from accounts.revenue.rates import Ints
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
    order, sums, last = _expansions(context)
    rows = [
        [row[0], money(row[2], currency), date_format(row[3])]
        for row in _named(context, order[:TOP], sums, last)
    ]
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
        sheet=LateRows(
            lambda: [
                [name, external_id, sheet_money(amount, currency), day.isoformat()]
                for name, external_id, amount, day in _named(context, order, sums, last)
            ]
        ),
    )


def _expansions(context: ReportContext) -> tuple[list[int], Ints, Ints]:
    """Places in the ledger's accounts, the largest expansion first; sums and last instants by place."""
    found, period = context.steps, context.period
    here = (found.kind == Kind.EXPANSION) & (found.at >= period.start) & (found.at < period.boundaries[-1])
    sums = np.bincount(found.account[here], found.delta[here], minlength=context.ledger.accounts.size).astype(
        np.int64
    )
    last = np.zeros(sums.size, dtype=np.int64)
    np.maximum.at(last, found.account[here], found.at[here])
    order = np.argsort(-sums, kind="stable")
    return order[sums[order] > 0].tolist(), sums, last


def _named(
    context: ReportContext, order: Sequence[int], sums: Ints, last: Ints
) -> Iterator[tuple[str, str, int, date]]:
    """Name, external id, sum and day of the last one; one query."""
    ids = context.ledger.accounts
    names = context.names([int(ids[at]) for at in order])
    for at in order:
        yield *names[int(ids[at])], int(sums[at]), context.day(int(last[at]))
