"""The mirror of invoices and of every try to collect them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F, Max

from accounts.gateways.stripe.facts import ChargeFacts, InvoiceFacts
from accounts.models import (
    BillingCustomer,
    BillingOrder,
    Invoice,
    MadeBy,
    OrderKind,
    PaymentAttempt,
    Subscription,
)
from accounts.services.billing_mirror import PROVIDER, is_stale, known_row, lock_object
from accounts.signals import invoice_changed

# A change of one of these is news for whoever collects.
_TELLING = (
    "status",
    "amount_minor",
    "amount_paid_minor",
    "refunded_minor",
    "due_at",
    "is_auto_advance",
    "next_attempt_at",
)
# Stripe may delete a draft and nothing else; words of ours would be a sixth status.
DELETED_DRAFT = "void"
_ASIDE = 10_000


def apply_invoice(found: InvoiceFacts, *, fetched_at: datetime, now: datetime) -> Invoice | None:
    """Write an invoice whose customer is here, with its tries if they were read; None when something newer is."""
    lock_object(found.id)
    row = known_row(Invoice, found.id)
    customer = known_row(BillingCustomer, found.customer_id)
    if is_stale(row, fetched_at) or customer is None or customer.account_id is None:
        return None
    subscription = known_row(Subscription, found.subscription_id) if found.subscription_id else None
    values = invoice_values(found, customer, subscription, fetched_at)
    if found.charges is not None:
        values["refunded_minor"] = sum(one.refunded_minor for one in found.charges)
    before = {name: getattr(row, name) for name in _TELLING} if row else {}
    is_new = row is None
    if is_new:
        row = Invoice(external_id=found.id)
    assert row is not None
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    is_tried = found.charges is not None and apply_charges(row, found.charges)
    is_told = is_new or is_tried or any(getattr(row, name) != value for name, value in before.items())
    if is_told and _is_of_interest(row, is_new=is_new):
        invoice_changed.send(row.pk)
    return row


def forget_draft(invoice_id: str) -> None:
    """A draft that the provider no longer knows was deleted there."""
    lock_object(invoice_id)
    for row in Invoice.objects.filter(external_id=invoice_id, status="draft"):
        row.status, row.made_at = DELETED_DRAFT, None
        row.save(update_fields=["status", "made_at"])


def invoice_values(
    found: InvoiceFacts, customer: BillingCustomer, subscription: Subscription | None, fetched_at: datetime
) -> dict[str, Any]:
    """An invoice's row without its refunds."""
    return {
        "account_id": subscription.account_id if subscription else customer.account_id,
        "subscription": subscription,
        "customer": customer,
        "provider": PROVIDER,
        "amount_minor": found.amount_due_minor,
        "currency": found.currency[:3],
        "status": found.status[:16],
        "due_at": found.due_at,
        "paid_at": found.paid_at if found.status == "paid" else None,
        "number": found.number[:100],
        "description": found.description[:300],
        "amount_paid_minor": found.amount_paid_minor,
        "billing_reason": found.billing_reason[:40],
        "collection_method": found.collection_method[:24],
        "is_auto_advance": found.is_auto_advance,
        "next_attempt_at": found.next_attempt_at,
        "period_start": found.period_start,
        "period_end": found.period_end,
        "hosted_url": found.hosted_url[:2000],
        "payment_ref": next((one.intent_id or one.charge_id for one in reversed(found.payments)), "")[:200],
        "made_at": found.created_at,
        "fetched_at": fetched_at,
    }


def _is_of_interest(row: Invoice, *, is_new: bool) -> bool:
    """What comes in already settled and was never refused concerns nobody: the first synchronisation brings it."""
    if not is_new:
        return True
    failed = PaymentAttempt.objects.filter(invoice=row, status=PaymentAttempt.Status.FAILED)
    return row.status in ("open", "uncollectible") and (failed.exists() or row.amount_paid_minor > 0)


def apply_charges(invoice: Invoice, charges: Iterable[ChargeFacts]) -> bool:
    """Write the tries of an invoice, oldest first; returns whether anything was new. Never counted by the
    provider's own count, which also rises when nothing was tried. The caller holds the invoice's lock."""
    found = list(charges)
    by_id = {row.external_id: row for row in PaymentAttempt.objects.filter(invoice=invoice)}
    if "" in by_id:  # counted by a file before the provider was connected: now each is known
        PaymentAttempt.objects.filter(invoice=invoice, external_id="", order__isnull=True).delete()
    number = PaymentAttempt.objects.filter(invoice=invoice).aggregate(last=Max("number"))["last"] or 0
    orders = {
        order.provider_ref: order
        for order in BillingOrder.objects.filter(
            invoice=invoice, kind=OrderKind.PAY, provider_ref__in=[one.id for one in found]
        )
    }
    is_changed = False
    for one in found:
        row = by_id.get(one.id)
        if row is None:
            number += 1
            row = PaymentAttempt(invoice=invoice, number=number, external_id=one.id)
        before = says_of(row)
        fill_attempt(row, invoice, one, orders.get(one.id))
        if row.pk is None or says_of(row) != before:
            row.save()
            is_changed = True
    if is_changed:
        _number_by_time(invoice)
    return is_changed


def _number_by_time(invoice: Invoice) -> None:
    """Tries that were learnt of later may lie before others: numbers follow the time."""
    rows = list(PaymentAttempt.objects.filter(invoice=invoice).order_by("attempted_at", "number"))
    if [row.number for row in rows] == list(range(1, len(rows) + 1)):
        return
    PaymentAttempt.objects.filter(invoice=invoice).update(number=F("number") + _ASIDE)
    for number, row in enumerate(rows, start=1):
        PaymentAttempt.objects.filter(pk=row.pk).update(number=number)


def says_of(row: PaymentAttempt) -> tuple[Any, ...]:
    """What of a try is news when it is another."""
    return row.status, row.decline_code, row.advice_code, row.network_code, row.order_id, row.account_id


def fill_attempt(row: PaymentAttempt, invoice: Invoice, one: ChargeFacts, order: BillingOrder | None) -> None:
    """What a charge says of one try."""
    row.account_id = invoice.account_id
    row.attempted_at, row.status, row.amount_minor = one.created_at, one.status[:12], one.amount_minor
    row.decline_code, row.advice_code = one.decline_code[:60], one.advice_code[:60]
    row.network_code = one.network_code[:60]
    row.method, row.method_kind = one.method_id[:200], one.method_kind[:40]
    row.brand, row.last4 = one.brand[:40], one.last4
    row.country, row.fingerprint = one.country[:2], one.fingerprint[:100]
    if order is not None:
        row.order, row.made_by = order, MadeBy(order.made_by)
