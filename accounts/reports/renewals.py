"""Renewal rate, gross and net, by the month in which terms ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext, ngettext

from accounts.charts import Chart, Series, bar_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.renewals import Renewal, renewals
from accounts.queries.report_context import ReportContext
from accounts.reports.words import labels, major, money_of, share_of, sheet_money, sheet_rate, span
from cs_platform.lib.formats import money, percent
from cs_platform.lib.periods import month_of


@dataclass(frozen=True, slots=True)
class Due:
    """Renewals of one month; amounts are yearly, of those that have a rate."""

    contracts: int
    renewed: int
    due_minor: int
    kept_minor: int
    renewed_minor: int

    @property
    def gross(self) -> float | None:
        return self.kept_minor / self.due_minor if self.due_minor else None

    @property
    def net(self) -> float | None:
        return self.renewed_minor / self.due_minor if self.due_minor else None


def due_of(found: Sequence[Renewal]) -> Due:
    """`kept` leaves out what a renewal added: the lesser of both amounts, per contract."""
    priced = [
        (r.due_minor, r.renewed_minor)
        for r in found
        if r.due_minor is not None and r.renewed_minor is not None
    ]
    return Due(
        len(found),
        sum(r.is_renewed for r in found),
        sum(due for due, _ in priced),
        sum(min(due, renewed) for due, renewed in priced),
        sum(renewed for _, renewed in priced),
    )


def renewal_report(context: ReportContext) -> ReportBody:
    """Contracts of six months or more whose term ended in the period."""
    period = context.period
    start, end = period.instants
    found = renewals(context.workspace, context.ledger.rates, start=start, end=end, now=context.now)
    if not found:
        return ReportBody(
            empty=gettext("No contract of six months or more came up for renewal in this period.")
        )
    by_month: dict[date, list[Renewal]] = defaultdict(list)
    for one in found:
        by_month[month_of(one.due_at.astimezone(period.zone).date())].append(one)
    dues = [due_of(by_month[month]) for month in period.months]
    whole = due_of([one for month in period.full_months for one in by_month[month]])
    currency = context.currency
    return ReportBody(
        charts=[_chart(context, dues, whole)],
        formulas=_formulas(whole, currency),
        notes=_notes(found),
        headers=[
            "month",
            "is_complete",
            "contracts_due",
            "contracts_renewed",
            f"due_{currency}_a_year",
            f"kept_{currency}",
            f"renewed_{currency}",
            "gross_rate",
            "net_rate",
        ],
        sheet=[
            [
                f"{month:%Y-%m}",
                int(month != period.running),
                d.contracts,
                d.renewed,
                *(sheet_money(a, currency) for a in (d.due_minor, d.kept_minor, d.renewed_minor)),
                sheet_rate(d.gross),
                sheet_rate(d.net),
            ]
            for month, d in zip(period.months, dues, strict=True)
        ],
    )


def _chart(context: ReportContext, dues: Sequence[Due], whole: Due) -> Chart:
    """Kept and lost of what was due, month by month."""
    currency, names = context.currency, labels(context.period)
    kept, lost = [d.kept_minor for d in dues], [d.due_minor - d.kept_minor for d in dues]
    figure = bar_chart(
        names,
        [
            _amounts(gettext("Renewed"), kept, currency, "--chart-1"),
            _amounts(gettext("Not renewed"), lost, currency, "--red-mark"),
        ],
        x_title=gettext("Month of the due date"),
        y_title=gettext("%(currency)s a year") % {"currency": currency},
        stacked=True,
    )
    headers = [
        gettext("Month"),
        gettext("Contracts renewed"),
        gettext("Gross renewal rate"),
        gettext("Net renewal rate"),
    ]
    rows = [
        [
            name,
            share_of(d.renewed, d.contracts),
            money_of(d.kept_minor, d.due_minor, currency),
            money_of(d.renewed_minor, d.due_minor, currency),
        ]
        for name, d in zip(names, dues, strict=True)
    ]
    title = gettext("Renewals due, and what became of them")
    return Chart("report-renewals", title, _reading(context, whole), figure, headers, rows[::-1])


def _amounts(name: str, minor: Sequence[int], currency: str, colour: str) -> Series:
    return Series(name, [major(a, currency) for a in minor], [money(a, currency) for a in minor], colour)


def _reading(context: ReportContext, whole: Due) -> str:
    if not whole.contracts:
        return gettext("No renewal was due in a month that is over.")
    return gettext(
        "%(renewed)s contracts were renewed over %(span)s, %(rate)s of the revenue that was due."
    ) % {
        "renewed": share_of(whole.renewed, whole.contracts),
        "span": span(context.period),
        "rate": percent(whole.gross, 1),
    }


def _formulas(whole: Due, currency: str) -> list[Formula]:
    source = gettext("Gainsight, “Renewal Center metric calculations”")
    due = gettext(
        "renewals due = yearly value of all contracts of six months or more whose term ends in the period"
    )
    return [
        Formula(
            gettext("Gross renewal rate"),
            gettext("renewed, without what a renewal added ÷ renewals due; %(due)s. Not the NRR of a cohort.")
            % {"due": due},
            money_of(whole.kept_minor, whole.due_minor, currency),
            source,
        ),
        Formula(
            gettext("Net renewal rate"),
            gettext(
                "renewed, with what a renewal added ÷ renewals due; renewed is read 30 days after the due date"
            ),
            money_of(whole.renewed_minor, whole.due_minor, currency),
            source,
        ),
    ]


def _notes(found: Sequence[Renewal]) -> list[str]:
    lacking = sum(r.due_minor is None or r.renewed_minor is None for r in found)
    if not lacking:
        return []
    text = ngettext(
        "%(n)d contract has no exchange rate for its due date; it is counted, but not in the amounts.",
        "%(n)d contracts have no exchange rate for their due date; they are counted, but not in the amounts.",
        lacking,
    )
    return [text % {"n": lacking}]
