"""Failed and recovered payments week by week, in number and in money, by what brought them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils.translation import gettext

from accounts.charts import Chart, Series, bar_chart
from accounts.charts.report import Kpi, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import share_of, sheet_money
from cs_platform.lib.formats import DASH, number
from cs_platform.lib.periods import local_day
from dunning.queries.recoveries import recoveries
from dunning.recovery import Recovery, by_week, recovery
from dunning.reports.definitions import formulas
from dunning.reports.words import (
    CAUSE_COLOURS,
    CAUSES,
    nothing_failed,
    remarks,
    unsettled_weeks,
    with_interval,
)

Weeks = Sequence[tuple[date, Recovery]]


def recovery_kpi(context: ReportContext) -> Kpi | None:
    """The strict recovery rate of the period."""
    found = recovery(recoveries(context))
    if not found.failed:
        return None
    note = gettext("%(back)s of %(all)s failed payments")
    if found.open:
        note = gettext("%(back)s of %(all)s failed payments, %(open)s still open")
    return Kpi(
        gettext("Recovery rate"),
        share_of(found.recovered, found.failed).split(" ")[0],
        note % {"back": number(found.recovered), "all": number(found.failed), "open": number(found.open)},
        formulas(found)[0],
        tab="recovery",
        report="recovered",
    )


def weeks_of(context: ReportContext) -> Weeks:
    """From the first failure of the period to its end, or to now; read once a page."""
    if "recovery_weeks" not in context.kept:
        facts = recoveries(context)
        end = context.period.instants[1] - timedelta(microseconds=1)
        last = local_day(end, context.workspace.zone)
        context.kept["recovery_weeks"] = by_week(facts, first=facts[0].failed_on, last=last)
    found: Weeks = context.kept["recovery_weeks"]
    return found


def recovered_report(context: ReportContext) -> ReportBody:
    """What failed in each week and what of it came back, by what brought it."""
    facts = recoveries(context)
    if not facts:
        return ReportBody(empty=nothing_failed())
    weeks, whole, currency = weeks_of(context), recovery(facts), context.currency
    return ReportBody(
        charts=[_counts(whole, weeks)],
        formulas=formulas(whole),
        notes=[*remarks(whole), *unsettled_weeks(weeks)],
        headers=[
            "week",
            "failed",
            "recovered",
            "open",
            "lost",
            *CAUSES,
            f"failed_{currency}",
            f"recovered_{currency}",
            f"open_{currency}",
            f"lost_{currency}",
            *(f"{cause}_{currency}" for cause in CAUSES),
            "without_rate",
            "median_days",
        ],
        sheet=[_cells(day, one, currency) for day, one in weeks],
    )


def _cells(day: date, one: Recovery, currency: str) -> list[object]:
    return [
        day.isoformat(),
        one.failed,
        one.recovered,
        one.open,
        one.lost,
        *(one.by_cause.get(cause, 0) for cause in CAUSES),
        sheet_money(one.amount_minor, currency),
        sheet_money(one.recovered_minor, currency),
        sheet_money(one.open_minor, currency),
        sheet_money(one.lost_minor, currency),
        *(sheet_money(one.minor_by_cause.get(cause, 0), currency) for cause in CAUSES),
        one.unpriced,
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
        Series(
            gettext("Still open"),
            [one.open for _, one in weeks],
            [share_of(one.open, one.failed) for _, one in weeks],
            "--chart-5",
        ),
        Series(
            gettext("Lost"),
            [one.lost for _, one in weeks],
            [share_of(one.lost, one.failed) for _, one in weeks],
            "--red-mark",
        ),
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
        *(str(label) for label in CAUSES.values()),
        gettext("Lost"),
        gettext("Still open"),
        gettext("Recovered"),
        gettext("Median days"),
    ]
    title = gettext("Failed payments by week and what became of them")
    return Chart("report-recovered", title, _reading(whole), figure, headers, _count_rows(weeks)[::-1])


def _count_rows(weeks: Weeks) -> list[list[str]]:
    return [
        [
            day.isoformat(),
            number(one.failed),
            *(number(one.by_cause.get(cause, 0)) for cause in CAUSES),
            number(one.lost),
            number(one.open),
            so_far(share_of(one.recovered, one.failed), one),
            DASH if one.median_days is None else number(one.median_days, 1),
        ]
        for day, one in weeks
    ]


def so_far(rate: str, week: Recovery) -> str:
    """A rate that can still rise says so."""
    return rate if week.is_settled else gettext("%(rate)s so far") % {"rate": rate}


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
