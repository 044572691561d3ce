"""MRR over time, the bridge between its months, and what expansion brought."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts.charts import Chart, Series, bar_chart, line_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import (
    labels,
    major,
    money_of,
    month_name,
    nothing_yet,
    sheet_money,
    span,
    unpriced_note,
)
from accounts.revenue.bridge import Bridge, bridges
from accounts.revenue.steps import Kind
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


def bridge_report(context: ReportContext) -> ReportBody:
    """What came and what went each month, between the opening and the closing."""
    if context.ledger.is_empty:
        return ReportBody(empty=nothing_yet())
    period, currency, found = context.period, context.currency, context.bridges
    names = labels(period)
    figure = bar_chart(
        names, _bridge_series(found, currency), x_title=gettext("Month"), y_title=currency, stacked=True
    )
    headers = [str(word) for word in bridge_headers(found)]
    rows = [
        [name, *(money(amount, currency) for amount in bridge_amounts(one, found))]
        for name, one in zip(names, found, strict=True)
    ]
    chart = Chart(
        "report-bridge",
        gettext("How MRR changed, month by month"),
        _bridge_reading(context),
        figure,
        headers,
        rows[::-1],
    )
    return ReportBody(
        charts=[chart],
        formulas=[_bridge_formula(context)],
        notes=unpriced_note(context),
        headers=[
            "month",
            "is_complete",
            "currency",
            "opening",
            "new",
            "expansion",
            "contraction",
            "churn",
            "reactivation",
            "exchange_rates",
            "closing",
        ],
        sheet=[
            [
                f"{month:%Y-%m}",
                int(month != period.running),
                currency,
                *(sheet_money(a, currency) for a in _all_amounts(one)),
            ]
            for month, one in zip(period.months, found, strict=True)
        ],
    )


def _all_amounts(one: Bridge) -> list[int]:
    return [
        one.opening,
        one.new,
        one.expansion,
        -one.contraction,
        -one.churn,
        one.reactivation,
        one.rates,
        one.closing,
    ]


def bridge_amounts(one: Bridge, found: Sequence[Bridge]) -> list[int]:
    """Signed, without the effect of exchange rates where there never was one."""
    amounts = _all_amounts(one)
    return amounts if any(b.rates for b in found) else [*amounts[:6], amounts[7]]


def bridge_headers(found: Sequence[Bridge]) -> list[str]:
    words = [
        gettext("Month"),
        gettext("Opening"),
        gettext("New"),
        gettext("Expansion"),
        gettext("Contraction"),
        gettext("Revenue churn"),
        gettext("Reactivation"),
    ]
    return [*words, *([gettext("Exchange rates")] if any(b.rates for b in found) else []), gettext("Closing")]


def _bridge_series(found: Sequence[Bridge], currency: str) -> list[Series]:
    parts = [
        (gettext("New"), [b.new for b in found], "--chart-1"),
        (gettext("Expansion"), [b.expansion for b in found], "--chart-3"),
        (gettext("Reactivation"), [b.reactivation for b in found], "--chart-2"),
        (gettext("Contraction"), [-b.contraction for b in found], "--chart-4"),
        (gettext("Revenue churn"), [-b.churn for b in found], "--red-mark"),
    ]
    if any(b.rates for b in found):
        parts.append((gettext("Exchange rates"), [b.rates for b in found], "--chart-5"))
    return [
        Series(
            name, [major(a, currency) for a in amounts], [money(a, currency) for a in amounts], colour=colour
        )
        for name, amounts, colour in parts
    ]


def _total(found: Sequence[Bridge], name: str) -> int:
    return sum(int(getattr(one, name)) for one in found)


def _bridge_reading(context: ReportContext) -> str:
    full = context.bridges[: len(context.period.full_months)] or context.bridges
    currency = context.currency
    gained = _total(full, "new") + _total(full, "expansion") + _total(full, "reactivation")
    lost = _total(full, "contraction") + _total(full, "churn")
    return gettext("%(gained)s of MRR came and %(lost)s went: %(net)s in all (%(span)s).") % {
        "gained": money(gained, currency),
        "lost": money(lost, currency),
        "net": ("+" if gained >= lost else "") + money(gained - lost, currency),
        "span": span(context.period),
    }


def _bridge_formula(context: ReportContext) -> Formula:
    full = context.bridges[: len(context.period.full_months)] or context.bridges
    names = ("new", "expansion", "contraction", "churn", "reactivation", "rates")
    values = {name: money(_total(full, name), context.currency) for name in names}
    values |= {
        "opening": money(full[0].opening, context.currency),
        "closing": money(full[-1].closing, context.currency),
    }
    words = gettext("opening + new + expansion − contraction − churn + reactivation = closing")
    numbers = gettext(
        "%(opening)s + %(new)s + %(expansion)s − %(contraction)s − %(churn)s + %(reactivation)s = %(closing)s"
    )
    if any(one.rates for one in full):
        words = gettext(
            "opening + new + expansion − contraction − churn + reactivation + exchange rates = closing; each change at"
            " the rate of its day, “exchange rates” is what moved rates did to MRR that stood still"
        )
        numbers = gettext(
            "%(opening)s + %(new)s + %(expansion)s − %(contraction)s − %(churn)s + %(reactivation)s + %(rates)s ="
            " %(closing)s"
        )
    return Formula(gettext("Bridge"), words, numbers % values, gettext("convention"))


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
    total, opening = _total(full, "expansion"), full[0].opening if full else 0
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
    rows, sheet = [], []
    for at in order:
        account = accounts[int(context.ledger.accounts[at])]
        day = context.day(int(last[at]))
        if len(rows) < TOP:
            rows.append([account.name, money(int(sums[at]), context.currency), date_format(day)])
        sheet.append(
            [account.name, account.external_id, sheet_money(int(sums[at]), context.currency), day.isoformat()]
        )
    return rows, sheet
