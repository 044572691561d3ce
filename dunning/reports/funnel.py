"""The way of a failed payment: how many were left after each step."""

from __future__ import annotations

from django.utils.translation import gettext

from accounts.charts import Chart, Series, bar_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import share_of
from cs_platform.lib.formats import number
from dunning.queries.recoveries import recoveries
from dunning.recovery import Recovery, recovery
from dunning.reports.words import nothing_failed, remarks


def funnel_report(context: ReportContext) -> ReportBody:
    """Failed, left after the silent retries, told, new card, paid after being told."""
    found = recovery(recoveries(context))
    if not found.failed:
        return ReportBody(empty=nothing_failed())
    steps = _steps(found)
    figure = bar_chart(
        [name for name, _ in steps],
        [
            Series(
                gettext("Failed payments"),
                [count for _, count in steps],
                [share_of(count, found.failed) for _, count in steps],
                "--chart-1",
            )
        ],
        x_title=gettext("Step"),
        y_title=gettext("Failed payments"),
        lying=True,
    )
    silent, told = found.by_cause.get("silent_retry", 0), found.noticed
    reading = gettext("%(silent)s came back before anybody was told; %(told)s were told.") % {
        "silent": share_of(silent, found.failed),
        "told": share_of(told, found.failed),
    }
    rows = [[name, number(count), share_of(count, found.failed)] for name, count in steps]
    headers = [gettext("Step"), gettext("Failed payments"), gettext("Of all")]
    return ReportBody(
        charts=[
            Chart("report-recovery-funnel", gettext("Recovery, step by step"), reading, figure, headers, rows)
        ],
        formulas=[
            Formula(
                gettext("Came back in silence"),
                gettext("paid by a retry before the first notice ÷ all payments that failed"),
                share_of(silent, found.failed),
                gettext("convention"),
            )
        ],
        notes=remarks(found),
        headers=["step", "payments"],
        sheet=[[name, count] for name, count in steps],
    )


def _steps(found: Recovery) -> list[tuple[str, int]]:
    silent = found.by_cause.get("silent_retry", 0)
    return [
        (gettext("Failed"), found.failed),
        (gettext("Left after the silent retries"), found.failed - silent),
        (gettext("The customer was told"), found.noticed),
        (gettext("New payment method"), found.new_cards),
        (gettext("Paid after the silent retries"), found.recovered - silent),
    ]
