"""Invoices, payments, charges and messages in their newest shapes as facts; raises like `parsing`."""

from __future__ import annotations

from accounts.gateways.stripe.client import network_code
from accounts.gateways.stripe.facts import ChargeFacts, EventFacts, InvoiceFacts, PaymentFacts
from accounts.gateways.stripe.parsing_values import (
    Json,
    card_details,
    currency,
    id_of,
    instant,
    minor,
    text,
    when,
)


def invoice(data: Json, charges: tuple[ChargeFacts, ...] | None = None) -> InvoiceFacts:
    moved, details = (
        data.get("status_transitions") or {},
        (data.get("parent") or {}).get("subscription_details") or {},
    )
    created_at = instant(data["created"])
    lines = (data.get("lines") or {}).get("data") or []
    spans = [line["period"] for line in lines if line.get("period")]
    due_at = when(data.get("due_date") or moved.get("finalized_at") or data.get("effective_at")) or created_at
    return InvoiceFacts(
        id=data["id"],
        customer_id=id_of(data["customer"]),
        subscription_id=id_of(details.get("subscription")),
        status=text(data.get("status")) or "draft",
        amount_due_minor=minor(data["amount_due"], data["currency"]),
        amount_paid_minor=minor(data["amount_paid"], data["currency"]),
        amount_remaining_minor=minor(data["amount_remaining"], data["currency"]),
        currency=currency(data["currency"]),
        created_at=created_at,
        due_at=due_at,
        paid_at=when(moved.get("paid_at")),
        number=text(data.get("number")),
        description=text(data.get("description") or (lines[0].get("description") if lines else "")),
        billing_reason=text(data.get("billing_reason")),
        collection_method=text(data.get("collection_method")),
        is_auto_advance=bool(data.get("auto_advance")),
        next_attempt_at=when(data.get("next_payment_attempt")),
        period_start=when(min((s["start"] for s in spans), default=data.get("period_start"))),
        period_end=when(max((s["end"] for s in spans), default=data.get("period_end"))),
        hosted_url=text(data.get("hosted_invoice_url")),
        default_method_id=id_of(data.get("default_payment_method") or data.get("default_source")),
        payments=tuple(_payment(one) for one in (data.get("payments") or {}).get("data") or []),
        charges=charges,
    )


def _payment(data: Json) -> PaymentFacts:
    intent = data["payment"].get("payment_intent")
    return PaymentFacts(
        intent_id=id_of(intent),
        charge_id=id_of(data["payment"].get("charge")),
        status=text(data.get("status")),
        intent_status=text(intent.get("status")) if isinstance(intent, dict) else "",
    )


def charge(data: Json) -> ChargeFacts:
    outcome, paid_with = data.get("outcome") or {}, data.get("payment_method_details") or {}
    kind = text(paid_with.get("type"))
    details = card_details(paid_with.get(kind) or {})
    # Stripe keeps the bank's reason in the outcome; `failure_code` is only "card_declined" for most of them.
    reason = text(outcome.get("reason")) or text(data.get("failure_code"))
    return ChargeFacts(
        id=data["id"],
        intent_id=id_of(data.get("payment_intent")),
        status=data["status"],
        amount_minor=minor(data["amount"], data["currency"]),
        refunded_minor=minor(data.get("amount_refunded") or 0, data["currency"]),
        currency=currency(data["currency"]),
        created_at=instant(data["created"]),
        customer_id=id_of(data.get("customer")),
        decline_code=reason if data["status"] == "failed" else "",
        advice_code=text(outcome.get("advice_code")),
        network_code=network_code(outcome, details["brand"]),
        is_disputed=bool(data.get("disputed")),
        method_id=id_of(data.get("payment_method")),
        method_kind=kind,
        **details,
    )


def event(data: Json) -> EventFacts:
    about = data["data"]["object"]
    return EventFacts(
        id=data["id"],
        type=data["type"],
        created_at=instant(data["created"]),
        object_type=text(about.get("object")),
        object_id=text(about.get("id")),
        object=about,
        is_live=bool(data.get("livemode")),
    )
