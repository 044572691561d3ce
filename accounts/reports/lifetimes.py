"""How long customers stay: the cohort heat map and the survival curve."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext

from accounts.charts import Chart, Series, line_chart
from accounts.charts.report import Formula, Heat, HeatCell, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import nothing_yet, points, share_of, sheet_rate
from accounts.revenue.lifetimes import CohortRow, SurvivalPoint, cohorts, first_lives, half_life, survival
from accounts.revenue.retention import Positions
from cs_platform.lib.formats import number, percent
from cs_platform.lib.periods import microseconds

MOST_COLUMNS = 12


def cohort_report(context: ReportContext) -> ReportBody:
    """Of the accounts that began in a month, how many were still customers k full months later."""
    months = context.period.full_months
    if context.ledger.is_empty or not months:
        return ReportBody(empty=nothing_yet())
    positions = Positions(context.ledger, context.period.boundaries[: len(months) + 1])
    found = [row for row in cohorts(positions, context.steps) if row.accounts]
    if not found:
        return ReportBody(empty=gettext("No customer began in this period."))
    columns = min(len(months), MOST_COLUMNS)
    headers = [gettext("Began in"), gettext("Accounts"), *(str(k) for k in range(columns))]
    rows = [(f"{months[row.interval]:%Y-%m}", _cells(row, columns)) for row in found]
    began, left = sum(r.accounts for r in found), sum(r.accounts - r.stayed[-1] for r in found)
    return ReportBody(
        charts=[
            Chart(
                "report-cohorts",
                gettext("Customers that stayed, by the month they began in"),
                _cohort_reading(began, left),
            )
        ],
        heat=Heat(gettext("Full months after the first one"), headers, rows),
        formulas=[
            Formula(
                gettext("Share that stayed"),
                gettext(
                    "accounts of the month with MRR at the end of the k-th month after it ÷ accounts that had their first MRR"
                    " in that month; column 0 is the end of that month itself"
                ),
                share_of(began - left, began),
                gettext("convention"),
            )
        ],
        headers=["began_in", "accounts", *(f"stayed_{k}" for k in range(len(months)))],
        sheet=[[f"{months[row.interval]:%Y-%m}", row.accounts, *row.stayed] for row in found],
    )


def _cells(row: CohortRow, columns: int) -> Sequence[HeatCell]:
    cells = [HeatCell(None, number(row.accounts))]
    for k in range(columns):
        if k < len(row.stayed):
            share = row.stayed[k] / row.accounts
            cells.append(HeatCell(share, percent(share), share_of(row.stayed[k], row.accounts)))
        else:
            cells.append(HeatCell(None, ""))
    return cells


def _cohort_reading(began: int, left: int) -> str:
    return gettext("%(stayed)s that began in this period are still customers at its end.") % {
        "stayed": share_of(began - left, began)
    }


def survival_report(context: ReportContext) -> ReportBody:
    """Share of customers that stay at least so many months, over all that are known."""
    if context.ledger.is_empty:
        return ReportBody(empty=nothing_yet())
    lengths, ended = first_lives(context.ledger, context.steps, microseconds(context.now))
    found = survival(lengths, ended)
    if len(found) < 3:
        return ReportBody(
            empty=gettext("The curve needs at least ten accounts that could be watched for two months.")
        )
    series = Series(
        gettext("Still customers"),
        [points(point.share) for point in found],
        [_interval(point) for point in found],
        low=[points(point.low) for point in found],
        high=[points(point.high) for point in found],
    )
    figure = line_chart(
        [p.months for p in found],
        [series],
        x_title=gettext("Months since the first MRR"),
        y_title=gettext("Still customers (%)"),
    )
    figure["layout"]["yaxis"]["range"] = [0, 100]
    headers = [gettext("Months"), gettext("Still customers"), gettext("Watched that long")]
    rows = [[number(p.months), _interval(p), number(p.at_risk)] for p in found]
    return ReportBody(
        charts=[
            Chart(
                "report-survival",
                gettext("How long customers stay"),
                _survival_reading(found),
                figure,
                headers,
                rows,
            )
        ],
        formulas=[_survival_formula(lengths.size, int(ended.sum()))],
        notes=[
            gettext(
                "An account that is still there counts as watched so far. Accounts that left before your records begin are not in it, so it may look better than it was."
            )
        ],
        headers=["months", "share", "low_95", "high_95", "watched"],
        sheet=[[p.months, *map(sheet_rate, (p.share, p.low, p.high)), p.at_risk] for p in found],
    )


def _interval(point: SurvivalPoint) -> str:
    return f"{percent(point.share, 1)} ({percent(point.low, 1)}–{percent(point.high, 1)})"


def _survival_reading(found: Sequence[SurvivalPoint]) -> str:
    half = half_life(found)
    if half is not None:
        return gettext("Half of the customers leave within %(n)d months.") % {"n": half}
    last = found[min(12, len(found) - 1)]
    return gettext(
        "Of 100 customers, %(n)s stay longer than %(months)d months (95%% interval %(low)s to %(high)s)."
    ) % {
        "n": number(last.share * 100),
        "months": last.months,
        "low": number(last.low * 100),
        "high": number(last.high * 100),
    }


def _survival_formula(accounts: int, ends: int) -> Formula:
    return Formula(
        gettext("Survival"),
        gettext(
            "product over all ends of (1 − accounts that left then ÷ accounts watched until then); interval (95%) by"
            " Greenwood on the log-log scale"
        ),
        gettext("%(accounts)s accounts, %(ends)s of them left at least once")
        % {"accounts": number(accounts), "ends": number(ends)},
        gettext("Kaplan and Meier 1958"),
    )
