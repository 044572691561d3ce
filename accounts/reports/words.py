"""How numbers are said on the report page: months, money, and rates that never go without their denominator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from accounts.queries.report_context import ReportContext
from accounts.queries.report_filter import Period
from accounts.revenue.retention import Retention
from cs_platform.lib.formats import DASH, money, number, percent
from cs_platform.lib.money import to_major

FEW = 20


def month_name(month: date) -> str:
    return date_format(month, "YEAR_MONTH_FORMAT")


def month_label(month: date, period: Period) -> str:
    """As it stands under a chart; the month that still runs says so."""
    text = f"{month:%Y-%m}"
    return gettext("%(month)s so far") % {"month": text} if month == period.running else text


def labels(period: Period) -> list[str]:
    return [month_label(month, period) for month in period.months]


def span(period: Period) -> str:
    """The full months of the period in words."""
    months = period.full_months
    if not months:
        return gettext("no full month yet")
    if len(months) == 1:
        return month_name(months[0])
    return gettext("%(first)s to %(last)s") % {"first": month_name(months[0]), "last": month_name(months[-1])}


def major(amount_minor: int, currency: str) -> float:
    """For charts only."""
    return float(to_major(amount_minor, currency))


def sheet_money(amount_minor: int | None, currency: str) -> Decimal | str:
    """For CSV: a plain decimal in major units."""
    return "" if amount_minor is None else to_major(amount_minor, currency)


def sheet_rate(share: float | None) -> str:
    """For CSV: a share 0..1 to six places, empty where there is none."""
    return "" if share is None else f"{share:.6f}"


def share_of(part: int, whole: int) -> str:
    """Counts as a rate with both of them: 3.3% (3 of 90)."""
    if not whole:
        return DASH
    return gettext("%(rate)s (%(part)s of %(whole)s)") % {
        "rate": percent(part / whole, 1),
        "part": number(part),
        "whole": number(whole),
    }


def money_of(part: int, whole: int, currency: str) -> str:
    """Amounts as a rate with both of them."""
    if not whole:
        return DASH
    return gettext("%(rate)s (%(part)s of %(whole)s)") % {
        "rate": percent(part / whole, 1),
        "part": money(part, currency),
        "whole": money(whole, currency),
    }


def points(share: float | None) -> float | None:
    """A share as percent points for an axis."""
    return None if share is None else round(share * 100, 2)


def few_customers(found: Sequence[Retention]) -> list[str]:
    """A remark where a rate stands on few accounts."""
    sizes = [one.customers for one in found if one.customers]
    if not sizes or min(sizes) >= FEW:
        return []
    return [
        gettext(
            "Some rates stand on fewer than %(n)d customers (%(least)d at the least): one account moves them much."
        )
        % {"n": FEW, "least": min(sizes)}
    ]


def unpriced_note(context: ReportContext) -> list[str]:
    """Says what could not be turned into the report currency, and how much of the period that touches."""
    counts = context.positions.unpriced_accounts()[-len(context.period.boundaries) :]
    most = int(counts.max()) if counts.size else 0
    if not most:
        return []
    text = ngettext(
        "At times up to %(n)d account has MRR in a currency without a rate for that day; it counts as a customer"
        " but its MRR is not in these sums. Add the rates in the settings.",
        "At times up to %(n)d accounts have MRR in a currency without a rate for that day; they count as customers"
        " but their MRR is not in these sums. Add the rates in the settings.",
        most,
    )
    return [text % {"n": most}]


def no_full_month() -> str:
    """Rates need a month that is over."""
    return gettext("No month of this period is over yet, so there is no rate.")


def nothing_yet() -> str:
    return gettext(
        "No recurring revenue is known yet. Import subscriptions; their history makes these reports."
    )
