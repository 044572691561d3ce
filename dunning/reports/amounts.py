"""Money that failed and came back, week by week, by what brought it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.utils.translation import gettext

from accounts.charts import Chart, Series, bar_chart
from accounts.charts.report import ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import major, money_of, sheet_money
from cs_platform.lib.formats import money
from dunning.queries.recoveries import recoveries
from dunning.recovery import Recovery, RecoveryFact, by_group, recovery
from dunning.reports.definitions import money_formula
from dunning.reports.recovered import Weeks, so_far, weeks_of
from dunning.reports.words import CAUSE_COLOURS, CAUSES, in_own_currencies, nothing_failed, without_rate


def amounts_report(context: ReportContext) -> ReportBody:
    """In the report currency, each amount at the rate of the day of its failure; and each currency in its own."""
    facts = recoveries(context)
    if not facts:
        return ReportBody(empty=nothing_failed())
    whole, own = recovery(facts), by_group(facts, lambda one: one.currency)
    return ReportBody(
        charts=[_chart(context, whole, weeks_of(context))],
        formulas=[money_formula(whole, context.currency)],
        notes=[*in_own_currencies(facts, context), *without_rate(whole, context)],
        headers=["currency", "failed", "recovered", "open", "failed_amount", "recovered_amount"],
        sheet=[
            [currency, one.failed, one.recovered, one.open, *_own(facts, currency)] for currency, one in own
        ],
    )


def _own(facts: Sequence[RecoveryFact], currency: str) -> list[object]:
    rows = [one for one in facts if one.currency == currency]
    return [
        sheet_money(sum(one.own_minor for one in rows), currency),
        sheet_money(sum(one.own_recovered_minor for one in rows if one.is_recovered), currency),
    ]


def _chart(context: ReportContext, whole: Recovery, weeks: Weeks) -> Chart:
    currency = context.currency

    def bars(name: str, colour: str, read: Callable[[Recovery], int]) -> Series:
        values = [major(read(one), currency) for _, one in weeks]
        texts = [money_of(read(one), one.amount_minor, currency) for _, one in weeks]
        return Series(name, values, texts, colour)

    def brought_by(cause: str) -> Callable[[Recovery], int]:
        return lambda one: one.minor_by_cause.get(cause, 0)

    series = [
        bars(str(label), CAUSE_COLOURS[cause], brought_by(cause))
        for cause, label in CAUSES.items()
        if whole.minor_by_cause.get(cause)
    ]
    series += [
        bars(gettext("Still open"), "--chart-5", lambda one: one.open_minor),
        bars(gettext("Lost"), "--red-mark", lambda one: one.lost_minor),
    ]
    names = [day.isoformat() for day, _ in weeks]
    figure = bar_chart(
        names, series, x_title=gettext("Week of the failure, from"), y_title=currency, stacked=True
    )
    reading = gettext("Of the money that failed, %(rate)s came back; %(open)s is still open.") % {
        "rate": money_of(whole.recovered_minor, whole.amount_minor, currency),
        "open": money(whole.open_minor, currency),
    }
    headers = [
        gettext("Week"),
        gettext("Failed"),
        *(str(label) for label in CAUSES.values()),
        gettext("Lost"),
        gettext("Still open"),
        gettext("Recovered"),
    ]
    rows = [
        [
            day.isoformat(),
            money(one.amount_minor, currency),
            *(money(one.minor_by_cause.get(cause, 0), currency) for cause in CAUSES),
            money(one.lost_minor, currency),
            money(one.open_minor, currency),
            so_far(money_of(one.recovered_minor, one.amount_minor, currency), one),
        ]
        for day, one in weeks
    ]
    title = gettext("Money that failed and came back")
    return Chart("report-recovered-amounts", title, reading, figure, headers, rows[::-1])
