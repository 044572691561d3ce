"""The newest shapes of Stripe's objects (plain dictionaries) as facts. Older shapes are not understood on purpose:
every call names its API version. Raises KeyError, TypeError or ValueError for anything else."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from accounts.gateways.stripe.client import network_code
from accounts.gateways.stripe.facts import (
    ChargeFacts,
    CustomerFacts,
    DiscountFacts,
    EventFacts,
    InvoiceFacts,
    ItemFacts,
    MethodFacts,
    PaymentFacts,
    PriceFacts,
    SubscriptionFacts,
    Tier,
)

Json = dict[str, Any]


def customer(data: Json) -> CustomerFacts:
    if data.get("deleted"):
        return CustomerFacts(id=data["id"], is_deleted=True)
    default = (data.get("invoice_settings") or {}).get("default_payment_method") or data.get("default_source")
    locales = data.get("preferred_locales") or []
    return CustomerFacts(
        id=data["id"],
        created_at=_when(data["created"]),
        name=_text(data.get("name") or data.get("business_name")),
        email=_text(data.get("email")),
        language=_text(locales[0] if locales else "")[:2].lower(),
        country=_text((data.get("address") or {}).get("country")),
        currency=_currency(data.get("currency")),
        default_method_id=_id(default),
        default_method=method(default) if isinstance(default, dict) else None,
        metadata=dict(data.get("metadata") or {}),
    )


def method(data: Json) -> MethodFacts:
    """A payment method; also one of the old kind ("card_…", "src_…"), whose details stand at the top."""
    is_old = data.get("object") != "payment_method"
    kind = _text(data.get("object") if is_old else data["type"])
    details = (data.get(data.get("type", "")) if is_old else data.get(kind)) or (data if is_old else {})
    return MethodFacts(
        id=data["id"],
        kind=kind,
        customer_id=_id(data.get("customer")),
        created_at=_when(data.get("created")) or datetime.fromtimestamp(0, UTC),
        exp_month=details.get("exp_month"),
        exp_year=details.get("exp_year"),
        wallet=_text((details.get("wallet") or {}).get("type")),
        **_details(details),
    )


def _details(details: Json) -> dict[str, str]:
    """What cards, debits and wallets have in common, where they have it."""
    return {
        "brand": _text(details.get("brand") or details.get("bank_name")).lower(),
        "last4": _text(details.get("last4"))[-4:],
        "country": _text(details.get("country")),
        "fingerprint": _text(details.get("fingerprint")),
    }


def price(data: Json) -> PriceFacts:
    recurring = data.get("recurring") or {}
    product = data.get("product")
    amount = data.get("unit_amount_decimal")
    amount = data.get("unit_amount") if amount is None else amount
    transform = data.get("transform_quantity") or {}
    tiers = data.get("tiers")
    return PriceFacts(
        id=data["id"],
        product_id=_id(product),
        product_name=_text(product.get("name")) if isinstance(product, dict) else "",
        nickname=_text(data.get("nickname")),
        currency=_currency(data["currency"]),
        unit_amount=None if amount is None else Decimal(str(amount)),
        interval=_text(recurring.get("interval")),
        interval_count=int(recurring.get("interval_count") or 1),
        is_metered=recurring.get("usage_type") == "metered",
        is_tiered=data.get("billing_scheme") == "tiered",
        tiers_mode=_text(data.get("tiers_mode")),
        tiers=None if tiers is None else tuple(_tier(one) for one in tiers),
        divide_by=int(transform.get("divide_by") or 1),
        rounds_up=transform.get("round") == "up",
    )


def _tier(data: Json) -> Tier:
    unit, flat = (
        next((v for v in (data.get(f"{name}_decimal"), data.get(name)) if v is not None), 0)
        for name in ("unit_amount", "flat_amount")
    )
    return Tier(data.get("up_to"), Decimal(str(unit)), Decimal(str(flat)))


def discounts(found: Any) -> tuple[DiscountFacts, ...]:
    """Discounts of a subscription or an item; one that was not expanded is only an id and left out."""
    return tuple(discount(one) for one in found or [] if isinstance(one, dict))


def discount(data: Json) -> DiscountFacts:
    coupon = (data.get("source") or {}).get("coupon") or data.get("coupon")
    ends_at = _when(data.get("end"))
    if not isinstance(coupon, dict):
        return DiscountFacts(coupon_id=_id(coupon), ends_at=ends_at)
    percent = coupon.get("percent_off")
    return DiscountFacts(
        coupon_id=coupon["id"],
        duration=_text(coupon.get("duration")),
        percent_off=None if percent is None else Decimal(str(percent)),
        amount_off=coupon.get("amount_off"),
        ends_at=ends_at,
    )


def subscription(data: Json) -> SubscriptionFacts:
    items = tuple(_item(one) for one in data["items"]["data"])
    period_end = max((item.period_end for item in items if item.period_end), default=None)
    default = data.get("default_payment_method") or data.get("default_source")
    details, pause = data.get("cancellation_details") or {}, data.get("pause_collection") or {}
    cancel_at = _when(data.get("cancel_at"))
    if cancel_at is None and data.get("cancel_at_period_end"):
        cancel_at = period_end
    return SubscriptionFacts(
        id=data["id"],
        customer_id=_id(data["customer"]),
        status=data["status"],
        currency=_currency(data["currency"]),
        items=items,
        started_at=_when(data.get("start_date")) or _instant(data["created"]),
        ended_at=_when(data.get("ended_at")),
        cancel_at=cancel_at,
        trial_ends_at=_when(data.get("trial_end")),
        period_end=period_end,
        reason=_text(details.get("reason")),
        feedback=_text(details.get("feedback")),
        discounts=discounts(data.get("discounts")),
        default_method_id=_id(default),
        default_method=method(default) if isinstance(default, dict) else None,
        collection_method=_text(data.get("collection_method")),
        is_collection_paused=bool(pause),
        pause_ends_at=_when(pause.get("resumes_at")),
        metadata=dict(data.get("metadata") or {}),
    )


def _item(data: Json) -> ItemFacts:
    return ItemFacts(
        price=price(data["price"]),
        quantity=int(data["quantity"]) if data.get("quantity") is not None else 1,
        period_start=_when(data.get("current_period_start")),
        period_end=_when(data.get("current_period_end")),
        discounts=discounts(data.get("discounts")),
    )


def invoice(data: Json, charges: tuple[ChargeFacts, ...] | None = None) -> InvoiceFacts:
    moved, details = (
        data.get("status_transitions") or {},
        (data.get("parent") or {}).get("subscription_details") or {},
    )
    created_at = _instant(data["created"])
    lines = (data.get("lines") or {}).get("data") or []
    spans = [line["period"] for line in lines if line.get("period")]
    due_at = (
        _when(data.get("due_date") or moved.get("finalized_at") or data.get("effective_at")) or created_at
    )
    return InvoiceFacts(
        id=data["id"],
        customer_id=_id(data["customer"]),
        subscription_id=_id(details.get("subscription")),
        status=_text(data.get("status")) or "draft",
        amount_due_minor=int(data["amount_due"]),
        amount_paid_minor=int(data["amount_paid"]),
        amount_remaining_minor=int(data["amount_remaining"]),
        currency=_currency(data["currency"]),
        created_at=created_at,
        due_at=due_at,
        paid_at=_when(moved.get("paid_at")),
        number=_text(data.get("number")),
        description=_text(data.get("description") or (lines[0].get("description") if lines else "")),
        billing_reason=_text(data.get("billing_reason")),
        collection_method=_text(data.get("collection_method")),
        is_auto_advance=bool(data.get("auto_advance")),
        next_attempt_at=_when(data.get("next_payment_attempt")),
        period_start=_when(min((s["start"] for s in spans), default=data.get("period_start"))),
        period_end=_when(max((s["end"] for s in spans), default=data.get("period_end"))),
        hosted_url=_text(data.get("hosted_invoice_url")),
        default_method_id=_id(data.get("default_payment_method") or data.get("default_source")),
        payments=tuple(_payment(one) for one in (data.get("payments") or {}).get("data") or []),
        charges=charges,
    )


def _payment(data: Json) -> PaymentFacts:
    intent = data["payment"].get("payment_intent")
    return PaymentFacts(
        intent_id=_id(intent),
        charge_id=_id(data["payment"].get("charge")),
        status=_text(data.get("status")),
        intent_status=_text(intent.get("status")) if isinstance(intent, dict) else "",
    )


def charge(data: Json) -> ChargeFacts:
    outcome, paid_with = data.get("outcome") or {}, data.get("payment_method_details") or {}
    kind = _text(paid_with.get("type"))
    details = _details(paid_with.get(kind) or {})
    # Stripe keeps the bank's reason in the outcome; `failure_code` is only "card_declined" for most of them.
    reason = _text(outcome.get("reason")) or _text(data.get("failure_code"))
    return ChargeFacts(
        id=data["id"],
        intent_id=_id(data.get("payment_intent")),
        status=data["status"],
        amount_minor=int(data["amount"]),
        refunded_minor=int(data.get("amount_refunded") or 0),
        currency=_currency(data["currency"]),
        created_at=_instant(data["created"]),
        customer_id=_id(data.get("customer")),
        decline_code=reason if data["status"] == "failed" else "",
        advice_code=_text(outcome.get("advice_code")),
        network_code=network_code(outcome, details["brand"]),
        is_disputed=bool(data.get("disputed")),
        method_id=_id(data.get("payment_method")),
        method_kind=kind,
        **details,
    )


def event(data: Json) -> EventFacts:
    about = data["data"]["object"]
    return EventFacts(
        id=data["id"],
        type=data["type"],
        created_at=_instant(data["created"]),
        object_type=_text(about.get("object")),
        object_id=_text(about.get("id")),
        object=about,
        is_live=bool(data.get("livemode")),
    )


def _id(value: Any) -> str:
    """The id of an object, whether it was expanded or not."""
    return _text(value.get("id")) if isinstance(value, dict) else _text(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _currency(value: Any) -> str:
    return _text(value).upper()


def _when(seconds: Any) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _instant(seconds: Any) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
