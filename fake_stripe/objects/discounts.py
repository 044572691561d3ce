"""Coupons, and the discounts that come from redeeming them."""

from typing import Any

from fake_stripe.errors import invalid
from fake_stripe.ids import random_text
from fake_stripe.lists import list_of
from fake_stripe.months import add_interval
from fake_stripe.objects.customers import merge_metadata
from fake_stripe.params import given
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

COUPON: Json = {
    "amount_off": None,
    "currency": None,
    "duration": "once",
    "duration_in_months": None,
    "livemode": False,
    "max_redemptions": None,
    "metadata": {},
    "name": None,
    "percent_off": None,
    "redeem_by": None,
    "times_redeemed": 0,
    "valid": True,
}
DISCOUNT: Json = {
    "checkout_session": None,
    "customer": None,
    "customer_account": None,
    "end": None,
    "invoice": None,
    "invoice_item": None,
    "promotion_code": None,
    "subscription": None,
    "subscription_item": None,
}


@shape("coupon")
def coupon_shape(session: Session, record: Json) -> Json:
    return public(record, COUPON)


@shape("discount")
def discount_shape(session: Session, record: Json) -> Json:
    shown = public(record, DISCOUNT)
    del shown["created"]
    return shown


@route("POST", "/v1/coupons", "CouponCreateParams")
def create_coupon(session: Session, params: Json) -> Json:
    if ("percent_off" in params) == ("amount_off" in params):
        raise invalid("You must pass either `percent_off` or `amount_off`.", param="percent_off", kept=False)
    key = params.get("id") or random_text(8)
    record: Json = {"id": key, "object": "coupon", "created": session.now}
    record |= given(params, COUPON)
    if session.store.load("coupon", key):
        raise invalid("Coupon already exists.", param="id", code="resource_already_exists", kept=False)
    return session.created(record, "coupon.created")


@route("POST", "/v1/coupons/{coupon}", "CouponUpdateParams")
def update_coupon(session: Session, params: Json, key: str) -> Json:
    record = session.load("coupon", key)
    before = session.render(record)
    merge_metadata(record, params)
    record["name"] = params.get("name", record.get("name"))
    return session.changed(record, before, "coupon.updated")


@route("GET", "/v1/coupons/{coupon}", "CouponRetrieveParams")
def get_coupon(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("coupon", key))


@route("GET", "/v1/coupons", "CouponListParams")
def list_coupons(session: Session, params: Json) -> Json:
    return list_of(session, "coupon", params, "/v1/coupons")


def redeem(session: Session, given: Json, *, customer: str, subscription: str | None) -> Json:
    """One entry of a `discounts` parameter: a coupon makes a new discount, a discount is taken over."""
    if key := given.get("discount"):
        return session.load("discount", key, param="discounts")
    coupon = session.load("coupon", given.get("coupon", ""), param="discounts[0][coupon]")
    if not coupon.get("valid", True):
        raise invalid(f"Coupon expired: {coupon['id']}", param="discounts", code="coupon_expired")
    used = coupon.get("times_redeemed", 0) + 1
    limit = coupon.get("max_redemptions")
    session.save({**coupon, "times_redeemed": used, "valid": limit is None or used < limit})
    record = session.new("discount", customer=customer, subscription=subscription, start=session.now)
    record["source"] = {"type": "coupon", "coupon": coupon["id"]}
    record["end"] = _end(coupon, session.now)
    session.save(record)
    session.emit("customer.discount.created", session.render(record))
    return record


def _end(coupon: Json, start: int) -> int | None:
    if coupon.get("duration") != "repeating":
        return None
    return add_interval(start, "month", coupon["duration_in_months"])


def put_on_customer(session: Session, customer: Json, coupon: str | None) -> None:
    """One discount for all that the customer buys, in place of the one before; none to take it away."""
    before = session.render(customer)
    if former := customer.get("discount"):
        session.emit("customer.discount.deleted", session.render(session.load("discount", former)))
    customer["discount"] = None
    if coupon:
        customer["discount"] = redeem(
            session, {"coupon": coupon}, customer=customer["id"], subscription=None
        )["id"]
    session.changed(customer, before, "customer.updated")


def applied(customer: Json, own: list[str]) -> list[str]:
    """What counts on an invoice: its own discounts; without any, the one that hangs on the customer."""
    return own or [key for key in [customer.get("discount")] if key]


def reductions(session: Session, discounts: list[str], subtotal: int) -> list[Json]:
    """What each discount takes off, in order: [{"amount": minor units, "discount": id}]."""
    rest, result = subtotal, []
    for key in discounts:
        record = session.store.load("discount", key)
        if record is None or (record.get("end") and record["end"] <= session.now):
            continue
        coupon = session.store.load("coupon", record["source"]["coupon"]) or {}
        if coupon.get("percent_off"):
            amount = round(rest * coupon["percent_off"] / 100)
        else:
            amount = coupon.get("amount_off") or 0
        amount = max(0, min(amount, rest))
        rest -= amount
        result.append({"amount": amount, "discount": key})
    return result


def drop_finished(session: Session, owner: Json) -> None:
    """After an invoice: discounts that were for once, or whose time is over, leave the subscription."""
    kept: list[Any] = []
    for key in owner.get("discounts", []):
        record = session.store.load("discount", key) or {}
        coupon = session.store.load("coupon", record.get("source", {}).get("coupon", "")) or {}
        over = record.get("end") and record["end"] <= session.now
        if coupon.get("duration") == "once" or over:
            session.emit("customer.discount.deleted", session.render(record))
        else:
            kept.append(key)
    owner["discounts"] = kept


def finish_customer(session: Session, customer: Json) -> None:
    """The same for the one that hangs on a customer."""
    owner = {"discounts": applied(customer, [])}
    before = session.render(customer)
    drop_finished(session, owner)
    if customer.get("discount") and not owner["discounts"]:
        customer["discount"] = None
        session.changed(customer, before, "customer.updated")
