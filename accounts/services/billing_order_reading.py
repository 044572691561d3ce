"""What became of an order, by what the provider holds: for answers that never came and keys that are too old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q

from accounts.gateways.stripe import reading
from accounts.gateways.stripe.acting import Request
from accounts.gateways.stripe.client import BillingError, Gateway
from accounts.gateways.stripe.facts import ChargeFacts, InvoiceFacts
from accounts.models import BillingOrder, OrderKind, OrderState, PaymentAttempt
from accounts.services.billing_order_settling import Settlement
from accounts.services.billing_orders import SEEN
from cs_platform.lib.scoping import workspace_scope

# The provider's clock may be behind ours, and it counts whole seconds.
CLOCKS = timedelta(seconds=90)
DONE_INVOICES = {"void", "uncollectible", "paid"}


@dataclass(frozen=True, slots=True)
class Absent:
    """It is proven that nothing happened."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """It happened, but its own outcome is still to come."""


def read_back(gateway: Gateway, order: BillingOrder, request: Request) -> Settlement | Absent | Undecided:
    """Look, outside any transaction. Raises BillingError when the provider cannot be read."""
    if order.kind == OrderKind.PAY:
        return _charge(gateway, order, request.target)
    return _act(gateway, order, request)


def _charge(gateway: Gateway, order: BillingOrder, invoice_id: str) -> Settlement | Absent | Undecided:
    facts = reading.read_invoice(gateway, invoice_id)
    ours = _ours(gateway.workspace_id, order, facts)
    for status in ("succeeded", "pending", "failed"):
        found = [charge for charge in ours if charge.status == status]
        if found:
            return _of_charge(found[-1])
    if any(payment.intent_status == "processing" for payment in facts.payments):
        return Undecided()
    if _waits_for_person(facts):
        return Settlement(
            state=OrderState.ACTION_NEEDED, error_code="authentication_required", was_read_back=True
        )
    return Absent()


def _ours(workspace_id: int, order: BillingOrder, facts: InvoiceFacts) -> list[ChargeFacts]:
    """Charges that this order may have made: since its first call, of its method, not another order's, and
    none that was known before."""
    assert order.sent_at is not None
    since = order.sent_at - CLOCKS
    with workspace_scope(workspace_id):
        taken = set(
            PaymentAttempt.objects.filter(invoice_id=order.invoice_id)
            .filter(Q(pk__lte=order.result.get(SEEN, 0)) | Q(order__isnull=False) & ~Q(order=order))
            .values_list("external_id", flat=True)
        )
    return [
        charge
        for charge in facts.charges or ()
        if charge.id not in taken
        and charge.created_at >= since
        and (not order.method or charge.method_id in ("", order.method))
    ]


def _of_charge(charge: ChargeFacts) -> Settlement:
    states = {"succeeded": OrderState.SUCCEEDED, "pending": OrderState.PENDING, "failed": OrderState.FAILED}
    return Settlement(
        state=states[charge.status],
        charge_ref=charge.id,
        decline_code=charge.decline_code,
        advice_code=charge.advice_code,
        network_code=charge.network_code,
        was_read_back=True,
    )


def _waits_for_person(facts: InvoiceFacts) -> bool:
    return facts.status == "open" and any(p.intent_status == "requires_action" for p in facts.payments)


def _act(gateway: Gateway, order: BillingOrder, request: Request) -> Settlement | Absent | Undecided:
    """Acts that set something: they happened when it stands as they wanted it."""
    try:
        stands = _stands(gateway, order, request)
    except BillingError as error:
        if not error.is_absent:
            raise
        return Absent()
    if stands:
        return Settlement(state=OrderState.SUCCEEDED, was_read_back=True)
    return Absent()


def _stands(gateway: Gateway, order: BillingOrder, request: Request) -> bool:
    kind, target = OrderKind(order.kind), request.target
    if kind in (OrderKind.TAKE_OVER, OrderKind.HAND_BACK, OrderKind.UNCOLLECTIBLE):
        invoice = reading.read_invoice(gateway, target)
        if kind == OrderKind.UNCOLLECTIBLE:
            return invoice.status in DONE_INVOICES
        return invoice.is_auto_advance == bool(request.parameters.get("auto_advance"))
    if kind in (OrderKind.CANCEL, OrderKind.PAUSE, OrderKind.RESUME):
        subscription = reading.read_subscription(gateway, target)
        if kind == OrderKind.CANCEL:
            return subscription.status in ("canceled", "incomplete_expired")
        return subscription.is_collection_paused == (kind == OrderKind.PAUSE)
    if kind == OrderKind.SET_METHOD:
        if target.startswith("sub_"):
            return reading.read_subscription(gateway, target).default_method_id == order.method
        return reading.read_customer(gateway, target).default_method_id == order.method
    return False  # a page for a card: a new one costs nothing
