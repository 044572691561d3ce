"""The card page: what is owed and for what, what is going on, and what the person can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from accounts.mail_texts.as_text import as_text
from accounts.mail_texts.markup import read
from accounts.models import (
    Account,
    BillingConnection,
    BillingCustomer,
    BillingOrder,
    Invoice,
    MailText,
    MailTextVersion,
    OrderKind,
    OrderState,
)
from dunning.cases.state import Phase
from dunning.models import DunningCase
from dunning.notice_texts import HOW_TO_PAY
from dunning.policy.classes import HARD_DECLINES, DeclineClass
from dunning.policy.definition import PolicyDefinition
from dunning.policy.planning import may_try_by_hand
from dunning.queries import owed
from dunning.queries.case_facts import current_method, is_automatic, situation_of
from dunning.queries.pay_methods import card_words, expiry_words, next_method, other_methods

_UNDER_WAY = (OrderState.PLANNED, OrderState.SENT, OrderState.UNKNOWN)
# Stripe's pages, and those of its stand-in on this machine.
_HOSTED = ("https://", "http://127.0.0.1:", "http://localhost:")


@dataclass(frozen=True)
class BillLine:
    """One open invoice. `why` is empty where no try has failed; `state` is "", "busy", "pending" or "confirm".

    `due` is the day in the workspace's zone; `is_charged` says that a new payment method is charged for it at once.
    """

    number: str
    purpose: str
    amount_minor: int
    currency: str
    due: str
    why: str = ""
    state: str = ""
    hosted_url: str = ""
    is_charged: bool = False


@dataclass(frozen=True)
class PayPage:
    """`totals` by currency. `card` names the method on file, `can_pay_again` whether charging it makes sense;
    `card_until` is the month it expires in, in words."""

    lines: list[BillLine]
    totals: list[tuple[int, str]]
    customer: BillingCustomer | None = None
    card: str = ""
    card_until: str = ""
    can_pay_again: bool = False
    is_by_hand: bool = False
    other_methods: list[str] = field(default_factory=list)
    how_to_pay: str = ""
    has_failed: bool = False
    case: DunningCase | None = None

    @property
    def is_paid(self) -> bool:
        return not self.lines

    @property
    def is_charged(self) -> bool:
        """A new payment method is charged at once; else it only waits for the next payment."""
        return any(line.is_charged for line in self.lines)

    @property
    def hosted_url(self) -> str:
        """The provider's own page of an invoice that nothing here charges; empty where there is none."""
        return next((line.hosted_url for line in self.lines if line.hosted_url and not line.is_charged), "")

    @property
    def why(self) -> str:
        """The reason that all failed lines share; empty where they differ."""
        reasons = {line.why for line in self.lines if line.why}
        return reasons.pop() if len(reasons) == 1 else ""

    @property
    def is_busy(self) -> bool:
        return any(line.state == "busy" for line in self.lines)

    @property
    def is_pending(self) -> bool:
        """Nothing is left but to wait for the bank."""
        return bool(self.lines) and all(line.state == "pending" for line in self.lines)

    @property
    def confirm_url(self) -> str:
        return next((line.hosted_url for line in self.lines if line.state == "confirm"), "")


def pay_page(account: Account, *, zone: ZoneInfo, language: str, now: datetime) -> PayPage:
    """Everything the page shows; call with its language active."""
    invoices = owed.open_invoices(account)
    cases = {case.invoice_id: case for case in owed.open_cases(account.pk)}
    states = _states([one.pk for one in invoices])
    lines = [_line(one, cases.get(one.pk), states.get(one.pk, ""), zone) for one in invoices]
    automatic = [one for one in invoices if is_automatic(one)]
    by_hand = bool(invoices) and not automatic
    customer = None if by_hand else _customer(account, automatic)
    method = next((found for one in automatic if (found := current_method(one))), None)
    if method is None and not invoices:
        method = next_method(account, customer)
    return PayPage(
        lines=lines,
        totals=owed.totals(invoices),
        customer=customer,
        card=card_words(method) if method else "",
        card_until=expiry_words(method),
        can_pay_again=any(_may_pay_again(one, cases[one.pk], now) for one in automatic if one.pk in cases),
        is_by_hand=by_hand,
        other_methods=other_methods() if customer else [],
        how_to_pay=_how_to_pay(language) if by_hand else "",
        has_failed=bool(cases),
        case=next(iter(cases.values()), None),
    )


def _line(invoice: Invoice, case: DunningCase | None, state: str, zone: ZoneInfo) -> BillLine:
    if not state and case is not None and case.phase == Phase.WAITING_FOR_CONFIRMATION:
        state = "confirm"
    url = invoice.hosted_url if invoice.hosted_url.startswith(_HOSTED) else ""
    return BillLine(
        number=owed.number_of(invoice),
        purpose=owed.purpose_of(invoice, zone),
        amount_minor=owed.owed_minor(invoice),
        currency=invoice.currency,
        due=owed.day(invoice.due_at, zone),
        why=owed.why_words(case) if case and state in ("", "confirm") else "",
        state=state,
        hosted_url=url,
        is_charged=case is not None and case.stopped_at is None and is_automatic(invoice),
    )


def _states(invoice_ids: list[int]) -> dict[int, str]:
    """What is going on with each invoice's charge."""
    rows = BillingOrder.objects.filter(
        invoice_id__in=invoice_ids, kind=OrderKind.PAY, state__in=[*_UNDER_WAY, OrderState.PENDING]
    )
    return {
        pk: "pending" if state == OrderState.PENDING else "busy"
        for pk, state in rows.values_list("invoice_id", "state")
    }


def _customer(account: Account, automatic: list[Invoice]) -> BillingCustomer | None:
    """Who gets the new method at the provider; None where no provider is connected."""
    found = next((one.customer for one in automatic if one.customer_id), None)
    if found is not None or automatic:
        return found
    if not BillingConnection.objects.filter(disconnected_at__isnull=True).exists():
        return None
    rows = BillingCustomer.objects.filter(account=account, is_deleted=False)
    return rows.exclude(default_method="").order_by("pk").first() or rows.order_by("pk").first()


def _may_pay_again(invoice: Invoice, case: DunningCase, now: datetime) -> bool:
    """Charging the same method again: only where it was changed, or was not refused for good."""
    method = current_method(invoice)
    if method is None or method.blocked_at is not None or case.stopped_at is not None:
        return False
    known = situation_of(invoice, ends_at=case.ends_at, now=now)
    policy = PolicyDefinition.of_json(case.policy_version.definition)
    if may_try_by_hand(known.facts, policy, now=now) is not None:
        return False
    last = max((fact.at for fact in known.facts.attempts), default=case.failed_at)
    changes = [moment for moment in (method.replaced_at, case.card_updated_at) if moment is not None]
    is_new = any(moment >= last for moment in changes)
    waits_for_us = case.decline_class in (DeclineClass.CHECK_FIRST, DeclineClass.TEST)
    return is_new or not (case.decline_class in HARD_DECLINES or waits_for_us)


def _how_to_pay(language: str) -> str:
    """The workspace's own words for accounts that no provider charges."""
    text = MailText.objects.filter(key=HOW_TO_PAY, archived_at__isnull=True).first()
    rows = MailTextVersion.objects.filter(text=text, published_at__isnull=False) if text else None
    version = rows.order_by("-number").first() if rows is not None else None
    if version is None:
        return ""
    words: Mapping[str, str] = version.definition.get(language) or next(iter(version.definition.values()), {})
    return as_text(read(words.get("body", "")), {})
