"""What an account owes, and how it is told to its people: amounts, invoices, reasons in neutral words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Invoice
from cs_platform.lib.formats import money
from dunning.models import CaseState, DunningCase
from dunning.policy.classes import CUSTOMER_WORDS, DeclineClass
from dunning.policy.definition import EndState, PolicyDefinition

MOST_NAMED, A_DAY = 3, timedelta(days=1)
END_RESULTS: dict[str, Promise] = {
    EndState.CANCEL: _("The subscription is canceled then."),
    EndState.PAUSE: _("The subscription is paused then, until it is paid."),
    EndState.LEAVE_PAST_DUE: _("The invoice stays open then, and your access may be limited."),
}


def open_cases(account_id: int) -> list[DunningCase]:
    """The account's open cases, the one that ends first before the others."""
    return open_cases_of([account_id]).get(account_id, [])


def open_cases_of(account_ids: Iterable[int]) -> dict[int, list[DunningCase]]:
    """The same for many accounts, in one query; those without any are absent."""
    cases = DunningCase.objects.filter(account_id__in=list(account_ids), state=CaseState.OPEN)
    rows = cases.select_related("invoice__subscription__plan", "policy_version", "account", "contact")
    found: dict[int, list[DunningCase]] = {}
    for case in rows.order_by("ends_at", "pk"):
        found.setdefault(case.account_id, []).append(case)
    return found


def open_invoices(account: Account) -> list[Invoice]:
    """What can be paid, oldest first, whether a try has failed or not."""
    rows = Invoice.objects.filter(account=account, status="open").select_related(
        "subscription__plan", "customer"
    )
    return [one for one in rows.order_by("due_at", "pk") if owed_minor(one) > 0]


def owed_minor(invoice: Invoice) -> int:
    return int(invoice.amount_minor - invoice.amount_paid_minor)


def totals(invoices: Iterable[Invoice]) -> list[tuple[int, str]]:
    """What is owed by currency, in minor units; the currency of the oldest invoice first."""
    sums: dict[str, int] = {}
    for invoice in invoices:
        sums[invoice.currency] = sums.get(invoice.currency, 0) + owed_minor(invoice)
    return [(amount, currency) for currency, amount in sums.items()]


def sum_words(invoices: Iterable[Invoice]) -> str:
    return " + ".join(money(amount, currency) for amount, currency in totals(invoices))


def money_of(amount_minor: int, currency: str) -> str:
    return str(money(amount_minor, currency))


def number_of(invoice: Invoice) -> str:
    """The invoice as the customer knows it."""
    return str(invoice.number or invoice.external_id)


def purpose_of(invoice: Invoice, zone: ZoneInfo) -> str:
    """What the invoice is for: its description, else the plan with its period."""
    if invoice.description:
        return str(invoice.description)
    plan = invoice.subscription.plan if invoice.subscription else None
    words = plan.name if plan else gettext("Subscription")
    if invoice.period_start and invoice.period_end and invoice.period_end - invoice.period_start > A_DAY:
        return f"{words} ({day(invoice.period_start, zone)} – {day(invoice.period_end, zone)})"
    return str(words)


def named(words: Sequence[str]) -> str:
    """A few of them, and how many more there are."""
    shown, rest = list(dict.fromkeys(words)), 0
    if len(shown) > MOST_NAMED:
        shown, rest = shown[:MOST_NAMED], len(shown) - MOST_NAMED
    line = ", ".join(shown)
    if not rest:
        return line
    more = ngettext("and %(n)d more", "and %(n)d more", rest) % {"n": rest}
    return f"{line} {more}"


def day(moment: datetime, zone: ZoneInfo) -> str:
    return str(date_format(moment.astimezone(zone), "DATE_FORMAT"))


def why_words(case: DunningCase) -> str:
    """Why it did not go through, for the person who pays: never a cause that we cannot know."""
    known = case.decline_class in set(DeclineClass)
    return str(CUSTOMER_WORDS[DeclineClass(case.decline_class) if known else DeclineClass.SOFT_UNKNOWN])


def notice_values(cases: Sequence[DunningCase], zone: ZoneInfo) -> dict[str, str]:
    """Placeholders of a notice about these cases, the first of them leading; call with its language active."""
    lead = cases[0]
    invoices = [case.invoice for case in cases]
    policy = PolicyDefinition.of_json(lead.policy_version.definition)
    return {
        "payment.amount": sum_words(invoices),
        "payment.invoice": named([number_of(one) for one in invoices]),
        "payment.what": named([purpose_of(one, zone) for one in invoices]),
        "payment.reason": why_words(lead),
        "payment.end_date": day(lead.ends_at, zone),
        "payment.end_result": str(END_RESULTS[policy.end_state]),
    }
