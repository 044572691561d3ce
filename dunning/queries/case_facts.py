"""What the planner must know of one invoice: its tries, the method that would be charged, the person's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.models import (
    Account,
    BillingConnection,
    BillingCustomer,
    BillingOrder,
    Invoice,
    OrderState,
    PaymentAttempt,
    PaymentMethod,
)
from cs_platform.lib.quick_rows import QuickRows, rows_of
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
_WITHOUT_ATTEMPT = [str(state) for state in (*_UNDER_WAY, OrderState.FAILED)]
_ACCOUNTS, _ATTEMPTS, _CONNECTIONS = (
    QuickRows(Account),
    QuickRows(PaymentAttempt),
    QuickRows(BillingConnection),
)
_METHODS, _ORDERS = QuickRows(PaymentMethod), QuickRows(BillingOrder)


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
    ((name,),) = rows_of("SELECT time_zone FROM accounts_workspace WHERE id = %s", current_workspace_id())
    return ZoneInfo(name)


def zone_of_payer(invoice: Invoice) -> ZoneInfo:
    """By whose clock the invoice is charged."""
    return zone_of_country(_country(invoice)) or zone_of_workspace()


def is_automatic(invoice: Invoice) -> bool:
    """Whether a charge can be ordered at all."""
    if not invoice.provider or invoice.collection_method == "send_invoice":
        return False
    return _CONNECTIONS.exists("disconnected_at IS NULL")


def current_method(invoice: Invoice) -> PaymentMethod | None:
    """What a charge would use: the subscription's own method, else the customer's."""
    own = invoice.subscription.default_method if invoice.subscription else ""
    name = own or (invoice.customer.default_method if invoice.customer else "")
    if not name:
        return None
    return _METHODS.first("external_id = %s", name)


def _attempts(invoice: Invoice) -> tuple[AttemptFact, ...]:
    """Every try, whoever made it, and orders that failed before a bank was asked."""
    rows = _ATTEMPTS.values(
        "attempted_at, status, decline_code, advice_code, network_code, fingerprint, brand, made_by",
        "invoice_id = %s",
        invoice.pk,
    )
    found = [
        AttemptFact(at, _OUTCOMES[status], decline, advice, network, network, card, brand, made_by)
        for at, status, decline, advice, network, card, brand, made_by in rows
    ]
    found += _without_attempt(invoice)
    return tuple(sorted(found, key=lambda fact: fact.at))


def _without_attempt(invoice: Invoice) -> list[AttemptFact]:
    """Orders without a charge: on their way, or refused by the provider itself."""
    rows = _ORDERS.values(
        "state, sent_at, planned_at, error_code, made_by, provider_ref",
        "invoice_id = %s AND kind = 'pay' AND state = ANY(%s) AND decline_code = ''"
        " AND error_code <> 'never_happened'",
        invoice.pk,
        _WITHOUT_ATTEMPT,
    )
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
    if named:
        return named
    ((of_account,),) = _ACCOUNTS.values("country", "id = %s", invoice.account_id)
    return of_account if len(of_account) == 2 else ""


def _tries_of_card(method: PaymentMethod | None, now: datetime) -> int:
    if method is None or not method.fingerprint:
        return 0
    since = now - CARD_WINDOW
    ((tries,),) = _ATTEMPTS.values(
        "count(*)", "fingerprint = %s AND attempted_at > %s", method.fingerprint, since
    )
    return int(tries)
