"""How often a first attempt fails, week by week, and whether the last full week stands out."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext

from accounts.charts import Chart, Series, line_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import points, share_of
from cs_platform.lib.formats import percent
from cs_platform.lib.periods import local_day
from dunning.queries.recoveries import first_tries
from dunning.recovery import Alarm, WeekOfTries, failure_alarm
from dunning.recovery.rates import monday


def failure_report(context: ReportContext) -> ReportBody:
    """The failure rate of the period's weeks; the running week is marked and judges nothing."""
    start, end = context.period.instants
    weeks = first_tries(context.workspace, start=start, end=end)
    if not weeks:
        return ReportBody(empty=gettext("No payment was tried in these months."))
    running = monday(local_day(context.now, context.workspace.zone))
    full = [one for one in weeks if one.week < running]
    alarm = failure_alarm(full)
    tries, failed = sum(one.tries for one in weeks), sum(one.failed for one in weeks)
    return ReportBody(
        charts=[_chart(weeks, alarm, tries, failed)],
        formulas=[
            Formula(
                gettext("Failure rate"),
                gettext(
                    "invoices whose first attempt failed ÷ invoices that were tried for the first time in that week"
                ),
                share_of(failed, tries),
                gettext("convention; alarm: Fisher's exact test against the eight weeks before, below 1%"),
            )
        ],
        notes=[alarm_words(alarm)] if alarm else [],
        headers=["week", "first_attempts", "failed"],
        sheet=[[one.week.isoformat(), one.tries, one.failed] for one in weeks],
    )


def alarm_words(alarm: Alarm) -> str:
    """The alarm as one sentence."""
    return gettext(
        "In the week from %(week)s %(now)s of the first attempts failed, against %(usual)s in the weeks before: more than"
        " chance explains (%(p)s)."
    ) % {
        "week": alarm.week.isoformat(),
        "now": share_of(alarm.failed, alarm.tries),
        "usual": share_of(alarm.usual_failed, alarm.usual_tries),
        "p": percent(alarm.p_value, 2),
    }


def _chart(weeks: Sequence[WeekOfTries], alarm: Alarm | None, tries: int, failed: int) -> Chart:
    series = Series(
        gettext("Failure rate"),
        [points(one.rate) for one in weeks],
        [share_of(one.failed, one.tries) for one in weeks],
        "--red-mark" if alarm else "--chart-1",
    )
    figure = line_chart(
        [one.week.isoformat() for one in weeks],
        [series],
        x_title=gettext("Week, from"),
        y_title=gettext("First attempts that failed (%)"),
        suffix="%",
    )
    reading = gettext("Of all first attempts %(rate)s failed.") % {"rate": share_of(failed, tries)}
    rows = [[one.week.isoformat(), share_of(one.failed, one.tries)] for one in weeks]
    title = gettext("Failure rate of first attempts")
    headers = [gettext("Week"), gettext("Failed")]
    return Chart("report-failure-rate", title, reading, figure, headers, rows[::-1])
