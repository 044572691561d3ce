"""The MRR bridge, month by month."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext

from accounts.charts import Chart, Series, bar_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import (
    labels,
    major,
    nothing_yet,
    sheet_money,
    span,
    unpriced_note,
)
from accounts.revenue.bridge import Bridge
from cs_platform.lib.formats import money

TOP = 10


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
    words = gettext("opening + new + expansion − contraction − revenue churn + reactivation = closing")
    numbers = gettext(
        "%(opening)s + %(new)s + %(expansion)s − %(contraction)s − %(churn)s + %(reactivation)s = %(closing)s"
    )
    if any(one.rates for one in full):
        words = gettext(
            "opening + new + expansion − contraction − revenue churn + reactivation + exchange rates = closing; each change at"
            " the rate of its day, “exchange rates” is what moved rates did to MRR that stood still"
        )
        numbers = gettext(
            "%(opening)s + %(new)s + %(expansion)s − %(contraction)s − %(churn)s + %(reactivation)s + %(rates)s ="
            " %(closing)s"
        )
    return Formula(gettext("Bridge"), words, numbers % values, gettext("convention"))
