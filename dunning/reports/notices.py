"""What the middle notices bring, as far as it is known: never a gain without its interval."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts.charts import Chart, Series, bar_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import points, share_of
from cs_platform.lib.formats import number
from cs_platform.lib.periods import local_day
from cs_platform.lib.trials import MIN_CONTROL, Estimate
from dunning.queries.notice_effect import NoticeArm, NoticeEffect, notice_effect
from dunning.reports.words import with_interval
from health.queries.experiment_words import interval_words
from health.queries.experiment_words import points as signed_points


def notice_report(context: ReportContext) -> ReportBody:
    """Both groups since the draw began, whatever months the page shows: a part of a test proves less than all of it."""
    found = notice_effect(context.workspace, now=context.now)
    if found is None:
        return ReportBody(
            empty=gettext(
                "Nobody was held out of the middle notices yet. The share is set in the policy; the test begins with"
                " the next failed payment."
            )
        )
    since = date_format(local_day(found.since, context.workspace.zone), "DATE_FORMAT")
    arms = [(gettext("With middle notices"), found.treated), (gettext("Held out"), found.held_out)]
    return ReportBody(
        charts=[_chart(found, arms)],
        formulas=[_formula(found)],
        notes=_notes(found, since),
        headers=["group", "told", "paid", "running"],
        sheet=[[name, arm.told, arm.paid, arm.running] for name, arm in arms],
    )


def _chart(found: NoticeEffect, arms: list[tuple[str, NoticeArm]]) -> Chart:
    series = Series(
        gettext("Paid in the end"),
        [points(arm.paid / arm.told) if arm.told else None for _, arm in arms],
        [with_interval(arm.paid, arm.told) for _, arm in arms],
        "--chart-2",
    )
    figure = bar_chart(
        [name for name, _ in arms],
        [series],
        x_title=gettext("Group"),
        y_title=gettext("Paid in the end (%)"),
        lying=True,
        suffix="%",
    )
    headers = [gettext("Group"), gettext("Paid in the end"), gettext("Time still runs")]
    rows = [[name, with_interval(arm.paid, arm.told), number(arm.running)] for name, arm in arms]
    rows.append([gettext("Difference"), lift_words(found.lift), ""])
    title = gettext("What the middle notices bring")
    return Chart("report-notice-effect", title, _reading(found), figure, headers, rows)


def _reading(found: NoticeEffect) -> str:
    return gettext("Of those who were told %(treated)s paid; of those held out %(held)s. %(verdict)s") % {
        "treated": share_of(found.treated.paid, found.treated.told),
        "held": share_of(found.held_out.paid, found.held_out.told),
        "verdict": _verdict(found),
    }


def _verdict(found: NoticeEffect) -> str:
    if found.lift is None:
        return gettext("Too early to say: at least %(n)s are needed in each group.") % {
            "n": number(MIN_CONTROL)
        }
    values = {"lift": lift_words(found.lift)}
    if not found.lift.is_decided:
        return gettext("The difference is %(lift)s: it is not decided yet whether they help.") % values
    if found.lift.value > 0:
        return gettext("They help: the difference is %(lift)s.") % values
    return gettext("They do harm: the difference is %(lift)s.") % values


def lift_words(lift: Estimate | None) -> str:
    """The difference in points with its interval."""
    if lift is None:
        return gettext("not known yet")
    return gettext("%(points)s points, 95%% interval %(interval)s") % {
        "points": signed_points(lift.value),
        "interval": interval_words(lift.interval),
    }


def _notes(found: NoticeEffect, since: str) -> list[str]:
    notes = [
        gettext(
            "Since %(since)s. The first and the last notice go to everybody: this is what the mails between them add,"
            " not what all notices bring."
        )
        % {"since": since}
    ]
    if found.treated.running + found.held_out.running:
        notes.append(
            gettext("%(n)s more were told; they count when the time of their case is over, paid or not.")
            % {"n": number(found.treated.running + found.held_out.running)}
        )
    return notes


def _formula(found: NoticeEffect) -> Formula:
    return Formula(
        gettext("What the middle notices add"),
        gettext(
            "share paid among customers who were told and drawn to get all notices − the same share among those held"
            " out; each customer once, by the first case after the draw, when the time of that case is over"
        ),
        lift_words(found.lift),
        gettext("Mantel-Haenszel over the strata of the draw; interval for daily looks: O'Brien and Fleming"),
    )
