"""Bands month by month, ARR at risk, and the causes behind it."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts.charts import Chart, Series, bar_chart
from accounts.charts.report import Formula, Kpi, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import major, money_of, month_label, share_of, sheet_money
from cs_platform.lib.formats import money, money_short, number
from health.charts import BAND_COLOURS, distribution_chart
from health.models import HealthBand
from health.queries.bands import band_word
from health.queries.home import Totals, histogram, totals
from health.queries.report_months import BandMonth, band_months
from health.queries.report_risks import open_causes

BANDS = (HealthBand.RED, HealthBand.YELLOW, HealthBand.GREEN)


def kept_band_months(context: ReportContext) -> list[BandMonth]:
    """Read once for the two reports that are made of it."""
    if "band_months" not in context.kept:
        context.kept["band_months"] = band_months(context)
    found: list[BandMonth] = context.kept["band_months"]
    return found


def kept_totals(context: ReportContext) -> Totals:
    """Customers by band by the last night, read once."""
    if "totals" not in context.kept:
        context.kept["totals"] = totals()
    found: Totals = context.kept["totals"]
    return found


def at_risk_kpi(context: ReportContext) -> Kpi | None:
    """ARR of red customers by the last night."""
    found = kept_totals(context)
    if not found.accounts:
        return None
    currency = context.currency
    note = gettext("of %(arr)s, %(n)s of %(all)s customers") % {
        "arr": money_short(found.arr_minor, currency),
        "n": number(found.red),
        "all": number(found.accounts),
    }
    formula = Formula(
        gettext("ARR at risk"),
        gettext("sum of the ARR of customers whose health band is red, by the last nightly run"),
        money_of(found.at_risk_minor, found.arr_minor, currency),
        gettext("convention"),
    )
    value = money_short(found.at_risk_minor, currency)
    return Kpi(gettext("ARR at risk"), value, note, formula, good="down", tab="customers", report="at_risk")


def distribution_report(context: ReportContext) -> ReportBody:
    """Customers by score, by the last night."""
    counts = histogram()
    chart = distribution_chart(counts)
    if not chart.figure:
        return ReportBody(empty=chart.reading)
    step = 100 // len(counts)
    return ReportBody(
        charts=[chart],
        formulas=[
            Formula(
                gettext("Share below an edge"),
                gettext("customers whose score is below the edge ÷ customers with a score"),
                gettext("%(n)s customers have a score") % {"n": number(sum(counts))},
                gettext("convention"),
            )
        ],
        headers=["score_from", "score_to", "customers"],
        sheet=[[at * step, (at + 1) * step, count] for at, count in enumerate(counts)],
    )


def bands_report(context: ReportContext) -> ReportBody:
    """Customers in each band at the end of each month."""
    found = kept_band_months(context)
    if not found:
        return ReportBody(empty=gettext("No nightly run falls into these months yet."))
    last = found[-1]
    return ReportBody(
        charts=[_bands_chart(context, found)],
        formulas=[
            Formula(
                gettext("Share of a band"),
                gettext(
                    "customers in the band ÷ all customers of that night, by the score as it was given then"
                ),
                share_of(last.accounts[HealthBand.RED], _everyone(last)),
                gettext("convention"),
            )
        ],
        notes=_gap_note(context, found),
        headers=["month", "night", "red", "yellow", "green", "no_score"],
        sheet=[
            [f"{o.month:%Y-%m}", o.as_of.isoformat(), *(o.accounts[b] for b in (*BANDS, ""))] for o in found
        ],
    )


def _everyone(month: BandMonth) -> int:
    return sum(month.accounts.values())


def _bands_chart(context: ReportContext, found: Sequence[BandMonth]) -> Chart:
    names = [month_label(one.month, context.period) for one in found]
    series = [
        Series(
            band_word(band),
            [one.accounts[band] for one in found],
            [share_of(one.accounts[band], _everyone(one)) for one in found],
            BAND_COLOURS[band],
        )
        for band in BANDS
    ]
    figure = bar_chart(
        names, series, x_title=gettext("Last night of the month"), y_title=gettext("Customers"), stacked=True
    )
    headers = [gettext("Month"), *(band_word(band) for band in BANDS), gettext("No score"), gettext("Night")]
    rows = [
        [
            name,
            *(share_of(one.accounts[band], _everyone(one)) for band in BANDS),
            number(one.accounts[""]),
            date_format(one.as_of),
        ]
        for name, one in zip(names, found, strict=True)
    ]
    title = gettext("Customers by band, month by month")
    return Chart("report-bands", title, _bands_reading(found[0], found[-1]), figure, headers, rows[::-1])


def _bands_reading(first: BandMonth, last: BandMonth) -> str:
    return gettext("%(now)s of the customers are red now; in %(month)s it was %(then)s.") % {
        "now": share_of(last.accounts[HealthBand.RED], _everyone(last)),
        "then": share_of(first.accounts[HealthBand.RED], _everyone(first)),
        "month": f"{first.month:%Y-%m}",
    }


def _gap_note(context: ReportContext, found: Sequence[BandMonth]) -> list[str]:
    if len(found) == len(context.period.months):
        return []
    return [gettext("Months without a nightly run near their end are left out.")]


def at_risk_report(context: ReportContext) -> ReportBody:
    """ARR of red customers at the end of each month, against all ARR."""
    found = kept_band_months(context)
    if not found:
        return ReportBody(empty=gettext("No nightly run falls into these months yet."))
    currency = context.currency
    names = [month_label(one.month, context.period) for one in found]
    red, whole = [one.arr[HealthBand.RED] for one in found], [sum(one.arr.values()) for one in found]
    said = [money_of(part, all_arr, currency) for part, all_arr in zip(red, whole, strict=True)]
    series = Series(gettext("ARR at risk"), [major(amount, currency) for amount in red], said, "--red-mark")
    figure = bar_chart(
        names,
        [series],
        x_title=gettext("Last night of the month"),
        y_title=gettext("%(currency)s a year") % {"currency": currency},
    )
    reading = gettext("%(now)s of ARR is with red customers now; in %(month)s it was %(then)s.") % {
        "now": said[-1],
        "then": said[0],
        "month": f"{found[0].month:%Y-%m}",
    }
    headers = [gettext("Month"), gettext("ARR at risk"), gettext("Red customers")]
    rows = [
        [name, text, share_of(one.accounts[HealthBand.RED], sum(one.accounts.values()))]
        for name, text, one in zip(names, said, found, strict=True)
    ]
    return ReportBody(
        charts=[Chart("report-at-risk", gettext("ARR at risk"), reading, figure, headers, rows[::-1])],
        formulas=[
            Formula(
                gettext("ARR at risk"),
                gettext(
                    "12 × MRR of the customers whose band was red on that night, at the exchange rates of that night"
                ),
                said[-1],
                gettext("convention"),
            )
        ],
        notes=_gap_note(context, found),
        headers=["month", "night", f"arr_at_risk_{currency}", f"arr_{currency}"],
        sheet=[
            [
                f"{one.month:%Y-%m}",
                one.as_of.isoformat(),
                sheet_money(part, currency),
                sheet_money(all_arr, currency),
            ]
            for one, part, all_arr in zip(found, red, whole, strict=True)
        ],
    )


def causes_report(context: ReportContext) -> ReportBody:
    """Open causes of customers and the ARR behind them."""
    found, whole = open_causes(), kept_totals(context)
    if not found:
        return ReportBody(empty=gettext("No customer has an open risk."))
    currency = context.currency
    said = [money_of(one.arr_minor, whole.arr_minor, currency) for one in found]
    series = Series(gettext("ARR"), [major(one.arr_minor, currency) for one in found], said, "--chart-1")
    figure = bar_chart(
        [one.label for one in found],
        [series],
        x_title=gettext("Cause"),
        lying=True,
        y_title=gettext("%(currency)s a year") % {"currency": currency},
    )
    reading = gettext("The cause with the most ARR behind it: %(name)s, %(money)s with %(n)s customers.") % {
        "name": found[0].label,
        "money": money(found[0].arr_minor, currency),
        "n": share_of(found[0].accounts, whole.accounts),
    }
    headers = [gettext("Cause"), gettext("Customers"), gettext("ARR")]
    rows = [
        [one.label, share_of(one.accounts, whole.accounts), text]
        for one, text in zip(found, said, strict=True)
    ]
    return ReportBody(
        charts=[Chart("report-causes", gettext("Open risks by cause"), reading, figure, headers, rows)],
        formulas=[
            Formula(
                gettext("ARR behind a cause"),
                gettext(
                    "ARR of the customers with this open risk; one with several risks is in each of them, so the bars do not add up"
                ),
                said[0],
                gettext("convention"),
            )
        ],
        headers=["cause", "customers", f"arr_{currency}"],
        sheet=[[one.cause, one.accounts, sheet_money(one.arr_minor, currency)] for one in found],
    )
