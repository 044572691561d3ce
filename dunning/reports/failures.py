"""How often a first attempt fails, week by week, and which weeks stand out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from django.utils.translation import gettext

from accounts.charts import Chart, Series, line_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import points, share_of
from cs_platform.lib.formats import percent
from cs_platform.lib.periods import day_start, local_day
from dunning.policy.classes import CLASS_WORDS
from dunning.policy.definition import PolicyDefinition
from dunning.queries.recoveries import first_tries
from dunning.recovery import Alarm, WeekOfTries, failure_alarms
from dunning.recovery.alarm import BASE_WEEKS
from dunning.recovery.rates import monday

Weeks = Sequence[WeekOfTries]
MOST_TOLD = 4


def failure_report(context: ReportContext) -> ReportBody:
    """The failure rate of the period's weeks; the running week is marked and judges nothing."""
    zone = context.workspace.zone
    start, end = context.period.instants
    first = monday(local_day(start, zone))
    # The weeks before the period are what its first weeks are judged by.
    since = day_start(first - timedelta(weeks=BASE_WEEKS), zone)
    known = first_tries(context.workspace, start=since, end=end)
    weeks = [one for one in known if one.week >= first]
    if not weeks:
        return ReportBody(empty=gettext("No payment was tried in these months."))
    running = monday(local_day(end, zone))
    alarms = [one for one in failure_alarms([w for w in known if w.week < running]) if one.week >= first]
    tries, failed = sum(one.tries for one in weeks), sum(one.failed for one in weeks)
    return ReportBody(
        charts=[_chart(weeks, alarms, running)],
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
        notes=[alarm_words(one) for one in alarms[: -MOST_TOLD - 1 : -1]],
        headers=["week", "first_attempts", "failed", "stood_out"],
        sheet=_sheet(weeks, alarms),
        is_wide=True,
    )


def _sheet(weeks: Weeks, alarms: Sequence[Alarm]) -> list[list[object]]:
    loud = {one.week for one in alarms}
    return [[one.week.isoformat(), one.tries, one.failed, int(one.week in loud)] for one in weeks]


def alarm_words(alarm: Alarm) -> str:
    """The alarm in words, with what most of its refusals said."""
    text = gettext(
        "In the week from %(week)s %(now)s of the first attempts failed, against %(usual)s in the weeks before: more than"
        " chance explains (%(p)s)."
    ) % {
        "week": alarm.week.isoformat(),
        "now": share_of(alarm.failed, alarm.tries),
        "usual": share_of(alarm.usual_failed, alarm.usual_tries),
        "p": percent(alarm.p_value, 2),
    }
    return " ".join(part for part in (text, _why(alarm.codes)) if part)


def _why(codes: Sequence[str]) -> str:
    """The kind of refusal that most of a week's failures share, by the table that a workspace begins with."""
    policy = PolicyDefinition.defaults()
    kinds = Counter(policy.class_of(code) for code in codes)
    if not kinds:
        return ""
    kind, count = kinds.most_common(1)[0]
    return gettext("Most common kind of refusal: %(kind)s, %(rate)s.") % {
        "kind": CLASS_WORDS[kind],
        "rate": share_of(count, len(codes)),
    }


def _chart(weeks: Weeks, alarms: Sequence[Alarm], running: date) -> Chart:
    """The running week hangs on the last full one by a dotted line; weeks that stood out are marked."""
    loud = {one.week for one in alarms}
    at_end = [one.week >= running for one in weeks]
    has_running = at_end[-1]
    joint = len(weeks) - 2 if has_running else len(weeks)
    series = [
        _line(gettext("Failure rate"), weeks, [not late for late in at_end], "--chart-1"),
    ]
    if has_running:
        shown = [at >= joint for at in range(len(weeks))]
        series.append(_line(gettext("Week that still runs"), weeks, shown, "--chart-1", is_dotted=True))
    if loud:
        shown = [one.week in loud for one in weeks]
        series.append(_line(gettext("More than chance explains"), weeks, shown, "--red-mark", is_points=True))
    figure = line_chart(
        [one.week.isoformat() for one in weeks],
        series,
        x_title=gettext("Week, from"),
        y_title=gettext("First attempts that failed (%)"),
        suffix="%",
    )
    title = gettext("Failure rate of first attempts")
    headers = [gettext("Week"), gettext("Failed"), gettext("Remark")]
    rows = [
        [one.week.isoformat(), share_of(one.failed, one.tries), _remark(one, loud, running)] for one in weeks
    ]
    return Chart("report-failure-rate", title, _reading(weeks, alarms), figure, headers, rows[::-1])


def _line(
    name: str,
    weeks: Weeks,
    shown: Sequence[bool],
    colour: str,
    *,
    is_dotted: bool = False,
    is_points: bool = False,
) -> Series:
    values = [points(one.rate) if is_shown else None for one, is_shown in zip(weeks, shown, strict=True)]
    texts = [share_of(one.failed, one.tries) for one in weeks]
    return Series(name, values, texts, colour, is_dotted=is_dotted, is_points=is_points)


def _remark(week: WeekOfTries, loud: set[date], running: date) -> str:
    if week.week >= running:
        return gettext("still runs")
    return gettext("more than chance explains") if week.week in loud else ""


def _reading(weeks: Weeks, alarms: Sequence[Alarm]) -> str:
    tries, failed = sum(one.tries for one in weeks), sum(one.failed for one in weeks)
    reading = gettext("Of all first attempts %(rate)s failed.") % {"rate": share_of(failed, tries)}
    said = gettext("No week stood out.") if not alarms else ""
    return " ".join(part for part in (reading, said) if part)
