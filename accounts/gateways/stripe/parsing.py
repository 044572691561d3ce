"""Customers, payment methods, prices and subscriptions in Stripe's newest shapes, as facts.

Older shapes are not understood on purpose: every call names its API version. Raises KeyError, TypeError or
ValueError for anything else.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from accounts.gateways.stripe.facts import (
    CustomerFacts,
    DiscountFacts,
    ItemFacts,
    MethodFacts,
    PriceFacts,
    SubscriptionFacts,
    Tier,
)
from accounts.gateways.stripe.parsing_values import (
    Json,
    card_details,
    currency,
    exact,
    id_of,
    instant,
    minor,
    text,
    when,
)


def customer(data: Json) -> CustomerFacts:
    if data.get("deleted"):
        return CustomerFacts(id=data["id"], is_deleted=True)
    default = (data.get("invoice_settings") or {}).get("default_payment_method") or data.get("default_source")
    locales = data.get("preferred_locales") or []
    return CustomerFacts(
        id=data["id"],
        created_at=when(data["created"]),
        name=text(data.get("name") or data.get("business_name")),
        email=text(data.get("email")),
        language=text(locales[0] if locales else "")[:2].lower(),
        country=text((data.get("address") or {}).get("country")),
        currency=currency(data.get("currency")),
        default_method_id=id_of(default),
        default_method=method(default) if isinstance(default, dict) else None,
        discount=_name_of(data.get("discount")),
        metadata=dict(data.get("metadata") or {}),
    )


def _name_of(found: Any) -> str:
    """What tells a discount from the next one."""
    if not isinstance(found, dict):
        return text(found)
    one = discount(found)
    return f"{one.coupon_id}:{one.ends_at.isoformat() if one.ends_at else ''}"


def method(data: Json) -> MethodFacts:
    """A payment method; also one of the old kind ("card_…", "src_…"), whose details stand at the top."""
    is_old = data.get("object") != "payment_method"
    kind = text(data.get("object") if is_old else data["type"])
    details = (data.get(data.get("type", "")) if is_old else data.get(kind)) or (data if is_old else {})
    return MethodFacts(
        id=data["id"],
        kind=kind,
        customer_id=id_of(data.get("customer")),
        created_at=when(data.get("created")) or datetime.fromtimestamp(0, UTC),
        exp_month=details.get("exp_month"),
        exp_year=details.get("exp_year"),
        wallet=text((details.get("wallet") or {}).get("type")),
        **card_details(details),
    )


def price(data: Json) -> PriceFacts:
    recurring = data.get("recurring") or {}
    product = data.get("product")
    amount = data.get("unit_amount_decimal")
    amount = data.get("unit_amount") if amount is None else amount
    transform = data.get("transform_quantity") or {}
    tiers = data.get("tiers")
    return PriceFacts(
        id=data["id"],
        product_id=id_of(product),
        product_name=text(product.get("name")) if isinstance(product, dict) else "",
        nickname=text(data.get("nickname")),
        currency=currency(data["currency"]),
        unit_amount=None if amount is None else exact(amount, data["currency"]),
        interval=text(recurring.get("interval")),
        interval_count=int(recurring.get("interval_count") or 1),
        is_metered=recurring.get("usage_type") == "metered",
        is_tiered=data.get("billing_scheme") == "tiered",
        tiers_mode=text(data.get("tiers_mode")),
        tiers=None if tiers is None else tuple(_tier(one, data["currency"]) for one in tiers),
        divide_by=int(transform.get("divide_by") or 1),
        rounds_up=transform.get("round") == "up",
    )


def _tier(data: Json, code: str) -> Tier:
    unit, flat = (
        next((v for v in (data.get(f"{name}_decimal"), data.get(name)) if v is not None), 0)
        for name in ("unit_amount", "flat_amount")
    )
    return Tier(data.get("up_to"), exact(unit, code), exact(flat, code))


def discounts(found: Any) -> tuple[DiscountFacts, ...]:
    """Discounts of a subscription or an item; one that was not expanded is only an id and left out."""
    return tuple(discount(one) for one in found or [] if isinstance(one, dict))


def discount(data: Json) -> DiscountFacts:
    coupon = (data.get("source") or {}).get("coupon") or data.get("coupon")
    ends_at = when(data.get("end"))
    if not isinstance(coupon, dict):
        return DiscountFacts(coupon_id=id_of(coupon), ends_at=ends_at)
    percent, off = coupon.get("percent_off"), coupon.get("amount_off")
    return DiscountFacts(
        coupon_id=coupon["id"],
        duration=text(coupon.get("duration")),
        percent_off=None if percent is None else Decimal(str(percent)),
        amount_off=None if off is None else minor(off, coupon.get("currency")),
        ends_at=ends_at,
    )


def subscription(data: Json) -> SubscriptionFacts:
    items = tuple(_item(one) for one in data["items"]["data"])
    period_end = max((item.period_end for item in items if item.period_end), default=None)
    default = data.get("default_payment_method") or data.get("default_source")
    details, pause = data.get("cancellation_details") or {}, data.get("pause_collection") or {}
    cancel_at = when(data.get("cancel_at"))
    if cancel_at is None and data.get("cancel_at_period_end"):
        cancel_at = period_end
    return SubscriptionFacts(
        id=data["id"],
        customer_id=id_of(data["customer"]),
        status=data["status"],
        currency=currency(data["currency"]),
        items=items,
        started_at=when(data.get("start_date")) or instant(data["created"]),
        ended_at=when(data.get("ended_at")),
        cancel_at=cancel_at,
        trial_ends_at=when(data.get("trial_end")),
        period_end=period_end,
        reason=text(details.get("reason")),
        feedback=text(details.get("feedback")),
        discounts=_applied(data),
        default_method_id=id_of(default),
        default_method=method(default) if isinstance(default, dict) else None,
        collection_method=text(data.get("collection_method")),
        is_collection_paused=bool(pause),
        pause_ends_at=when(pause.get("resumes_at")),
        metadata=dict(data.get("metadata") or {}),
    )


def _applied(data: Json) -> tuple[DiscountFacts, ...]:
    """Its own discounts. Without any it "inherits the discount from the subscription's customer" (Stripe's SDK,
    on the parameter `discounts` of a new subscription)."""
    if own := data.get("discounts"):
        return discounts(own)
    customer = data["customer"]
    shared = customer.get("discount") if isinstance(customer, dict) else None
    if not isinstance(shared, dict) or (data.get("ended_at") or shared["start"]) < shared["start"]:
        return ()  # none, or one that came when this was over
    return (discount(shared),)


def _item(data: Json) -> ItemFacts:
    return ItemFacts(
        price=price(data["price"]),
        quantity=int(data["quantity"]) if data.get("quantity") is not None else 1,
        period_start=when(data.get("current_period_start")),
        period_end=when(data.get("current_period_end")),
        discounts=discounts(data.get("discounts")),
    )
