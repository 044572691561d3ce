"""What the planner must know of one invoice: its tries, the method that would be charged, the person's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.models import (
    BillingConnection,
    BillingCustomer,
    BillingOrder,
    Invoice,
    OrderKind,
    OrderState,
    PaymentAttempt,
    PaymentMethod,
    Workspace,
)
from cs_platform.lib.quick_rows import QuickRows
from cs_platform.lib.scoping import current_workspace_id
from dunning.cases.transitions import CaseState
from dunning.policy.country_zones import zone_of_country
from dunning.policy.facts import (
    FAILED,
    PENDING,
    PERSON,
    PLATFORM,
    SUCCEEDED,
    UNKNOWN,
    AttemptFact,
    RetryFacts,
)

CARD_WINDOW = timedelta(days=30)
_OUTCOMES = {
    "succeeded": SUCCEEDED,
    "failed": FAILED,
    "pending": PENDING,
}
_UNDER_WAY = {OrderState.PLANNED, OrderState.SENT, OrderState.UNKNOWN}
BY_UPDATER = "provider"
_METHODS = QuickRows(PaymentMethod)


@dataclass(frozen=True, slots=True)
class Situation:
    """`zone` is the customer's, where the country tells it; `day_zone` the workspace's. `is_automatic`: the provider
    is connected and charges this invoice when it is asked to."""

    facts: RetryFacts
    zone: ZoneInfo
    day_zone: ZoneInfo
    method: PaymentMethod | None
    is_automatic: bool


def situation_of(
    invoice: Invoice, *, ends_at: datetime, now: datetime, state: CaseState | None = None
) -> Situation:
    """Everything that the planner asks, read in the running scope."""
    zone, country = zone_of_workspace(), _country(invoice)
    method = current_method(invoice)
    facts = RetryFacts(
        invoice_id=invoice.external_id,
        attempts=_attempts(invoice),
        ends_at=ends_at,
        first_failed_at=state.failed_at if state else None,
        card=method.fingerprint if method else "",
        card_brand=method.brand if method else "",
        card_country=method.country if method else "",
        card_changed_at=state.card_updated_at if state else None,
        card_changed_by=_changed_by(state),
        country=country,
        checked_at=invoice.fetched_at,
        card_tries_30_days=_tries_of_card(method, now),
    )
    return Situation(facts, zone_of_country(country) or zone, zone, method, is_automatic(invoice))


def zone_of_workspace() -> ZoneInfo:
    """Whose day the database counts one charge by."""
    name: str = Workspace.objects.values_list("time_zone", flat=True).get(pk=current_workspace_id())
    return ZoneInfo(name)


def is_automatic(invoice: Invoice) -> bool:
    """Whether a charge can be ordered at all."""
    if not invoice.provider or invoice.collection_method == "send_invoice":
        return False
    open_ways = BillingConnection.objects.filter(disconnected_at__isnull=True)
    return bool(open_ways.exists())


def current_method(invoice: Invoice) -> PaymentMethod | None:
    """What a charge would use: the subscription's own method, else the customer's."""
    own = invoice.subscription.default_method if invoice.subscription else ""
    name = own or (invoice.customer.default_method if invoice.customer else "")
    if not name:
        return None
    return _METHODS.first("external_id = %s", name)


def _attempts(invoice: Invoice) -> tuple[AttemptFact, ...]:
    """Every try, whoever made it, and orders that failed before a bank was asked."""
    rows = PaymentAttempt.objects.filter(invoice=invoice).values_list(
        "attempted_at",
        "status",
        "decline_code",
        "advice_code",
        "network_code",
        "fingerprint",
        "brand",
        "made_by",
    )
    found = [
        AttemptFact(at, _OUTCOMES[status], decline, advice, network, network, card, brand, made_by)
        for at, status, decline, advice, network, card, brand, made_by in rows
    ]
    found += _without_attempt(invoice)
    return tuple(sorted(found, key=lambda fact: fact.at))


def _without_attempt(invoice: Invoice) -> list[AttemptFact]:
    """Orders without a charge: on their way, or refused by the provider itself."""
    orders = BillingOrder.objects.filter(
        invoice=invoice, kind=OrderKind.PAY, state__in=[*_UNDER_WAY, OrderState.FAILED], decline_code=""
    ).exclude(error_code="never_happened")
    rows = orders.values_list("state", "sent_at", "planned_at", "error_code", "made_by", "provider_ref")
    return [
        AttemptFact(
            at=sent_at or planned_at,
            outcome=UNKNOWN if state in _UNDER_WAY else FAILED,
            decline_code=error_code,
            made_by=made_by,
        )
        for state, sent_at, planned_at, error_code, made_by, charge in rows
        if state in _UNDER_WAY or not charge
    ]


def _changed_by(state: CaseState | None) -> str:
    is_updater = state is not None and state.card_updated_by == BY_UPDATER
    return PLATFORM if is_updater else PERSON


def _country(invoice: Invoice) -> str:
    customer: BillingCustomer | None = invoice.customer
    named = customer.country if customer else ""
    return named or (invoice.account.country if len(invoice.account.country) == 2 else "")


def _tries_of_card(method: PaymentMethod | None, now: datetime) -> int:
    if method is None or not method.fingerprint:
        return 0
    recent = PaymentAttempt.objects.filter(fingerprint=method.fingerprint, attempted_at__gt=now - CARD_WINDOW)
    return int(recent.count())
