"""Failed and recovered payments week by week, what brought the money, and the same rate by three definitions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils.translation import gettext

from accounts.charts import Chart, Series, bar_chart
from accounts.charts.report import Formula, Kpi, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import major, money_of, share_of, sheet_money
from cs_platform.lib.formats import DASH, money, number
from cs_platform.lib.periods import local_day
from dunning.queries.recoveries import recoveries
from dunning.recovery import Recovery, by_week, recovery
from dunning.reports.words import CAUSE_COLOURS, CAUSES, nothing_failed, remarks, with_interval

Weeks = Sequence[tuple[date, Recovery]]


def recovery_kpi(context: ReportContext) -> Kpi | None:
    """The strict recovery rate of the period."""
    found = recovery(recoveries(context))
    if not found.failed:
        return None
    return Kpi(
        gettext("Recovery rate"),
        share_of(found.recovered, found.failed).split(" ")[0],
        gettext("%(back)s of %(all)s failed payments")
        % {"back": number(found.recovered), "all": number(found.failed)},
        formulas(found)[0],
        tab="recovery",
        report="recovered",
    )


def recovered_report(context: ReportContext) -> ReportBody:
    """What failed in each week and what of it came back, by what brought it."""
    facts = recoveries(context)
    if not facts:
        return ReportBody(empty=nothing_failed())
    weeks = by_week(facts, first=facts[0].failed_on, last=local_day(context.now, context.workspace.zone))
    whole = recovery(facts)
    return ReportBody(
        charts=[_counts(whole, weeks), _amounts(context, whole, weeks)],
        formulas=formulas(whole),
        notes=remarks(whole, context),
        headers=[
            "week",
            "failed",
            "recovered",
            "open",
            *CAUSES,
            f"failed_{context.currency}",
            f"recovered_{context.currency}",
            "median_days",
        ],
        sheet=[_cells(day, one, context.currency) for day, one in weeks],
    )


def _cells(day: date, one: Recovery, currency: str) -> list[object]:
    return [
        day.isoformat(),
        one.failed,
        one.recovered,
        one.open,
        *(one.by_cause.get(cause, 0) for cause in CAUSES),
        sheet_money(one.amount_minor, currency),
        sheet_money(one.recovered_minor, currency),
        "" if one.median_days is None else round(one.median_days, 2),
    ]


def _counts(whole: Recovery, weeks: Weeks) -> Chart:
    series = [
        Series(
            str(label),
            [one.by_cause.get(cause, 0) for _, one in weeks],
            [share_of(one.by_cause.get(cause, 0), one.failed) for _, one in weeks],
            CAUSE_COLOURS[cause],
        )
        for cause, label in CAUSES.items()
        if whole.by_cause.get(cause)
    ]
    series += [
        Series(gettext("Still open"), [o.open for _, o in weeks], (), "--chart-5"),
        Series(gettext("Lost"), [o.lost for _, o in weeks], (), "--red-mark"),
    ]
    figure = bar_chart(
        [day.isoformat() for day, _ in weeks],
        series,
        x_title=gettext("Week of the failure, from"),
        y_title=gettext("Failed payments"),
        stacked=True,
    )
    headers = [
        gettext("Week"),
        gettext("Failed"),
        gettext("Recovered"),
        gettext("Still open"),
        gettext("Lost"),
        gettext("Median days"),
    ]
    title = gettext("Failed payments by week and what became of them")
    return Chart("report-recovered", title, _reading(whole), figure, headers, _count_rows(weeks)[::-1])


def _count_rows(weeks: Weeks) -> list[list[str]]:
    return [
        [
            day.isoformat(),
            number(one.failed),
            share_of(one.recovered, one.failed),
            number(one.open),
            number(one.lost),
            DASH if one.median_days is None else number(one.median_days, 1),
        ]
        for day, one in weeks
    ]


def _reading(whole: Recovery) -> str:
    reading = gettext(
        "Recovered: %(rate)s. By a silent retry %(silent)s, by a notice %(notice)s, by a person %(person)s."
    )
    return reading % {
        "rate": with_interval(whole.recovered, whole.failed),
        "silent": number(whole.by_cause.get("silent_retry", 0)),
        "notice": number(whole.by_cause.get("notice", 0)),
        "person": number(whole.by_cause.get("person", 0)),
    }


def _amounts(context: ReportContext, whole: Recovery, weeks: Weeks) -> Chart:
    currency = context.currency
    names = [day.isoformat() for day, _ in weeks]
    series = [
        Series(
            gettext("Failed"),
            [major(one.amount_minor, currency) for _, one in weeks],
            [money(one.amount_minor, currency) for _, one in weeks],
            "--chart-5",
        ),
        Series(
            gettext("Recovered"),
            [major(one.recovered_minor, currency) for _, one in weeks],
            [money_of(one.recovered_minor, one.amount_minor, currency) for _, one in weeks],
            "--chart-1",
        ),
    ]
    figure = bar_chart(names, series, x_title=gettext("Week of the failure, from"), y_title=currency)
    reading = gettext("Of the money that failed, %(rate)s came back; %(open)s is still open.") % {
        "rate": money_of(whole.recovered_minor, whole.amount_minor, currency),
        "open": money(whole.open_minor, currency),
    }
    rows = [
        [
            day.isoformat(),
            money(one.amount_minor, currency),
            money_of(one.recovered_minor, one.amount_minor, currency),
        ]
        for day, one in weeks
    ]
    headers = [gettext("Week"), gettext("Failed"), gettext("Recovered")]
    return Chart(
        "report-recovered-amounts",
        gettext("Money that failed and came back"),
        reading,
        figure,
        headers,
        rows[::-1],
    )


def formulas(found: Recovery) -> list[Formula]:
    """The same payments by three definitions, each with its denominator."""
    days = DASH if found.median_days is None else number(found.median_days, 1)
    return [
        Formula(
            gettext("Recovery rate"),
            gettext(
                "failed payments that were paid ÷ all payments that failed; cancelling while being dunned, refusals"
                " that cannot be retried and open ones count as not recovered"
            ),
            with_interval(found.recovered, found.failed),
            gettext("Churn Buster's definition; interval: Wilson"),
        ),
        Formula(
            gettext("Recovery rate of retriable refusals"),
            gettext(
                "the same without refusals that a retry cannot mend, as payment providers' own tools count: higher, and"
                " not comparable"
            ),
            share_of(found.retriable_recovered, found.retriable),
            gettext("usual in providers' tools"),
        ),
        Formula(
            gettext("Attempted recovery rate"),
            gettext("paid ÷ failed payments for which a retry, a notice or a person did something"),
            share_of(found.worked_recovered, found.worked),
            gettext("Baremetrics' name for it"),
        ),
        Formula(
            gettext("Settled only"),
            gettext("paid ÷ failed payments whose end is known"),
            share_of(found.recovered, found.settled),
            gettext("convention"),
        ),
        Formula(
            gettext("Median days to the money"),
            gettext("median of the days from the first failure to the payment, of those that were paid"),
            days,
            gettext("convention"),
        ),
    ]
