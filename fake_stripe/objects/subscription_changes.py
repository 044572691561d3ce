"""POST /v1/subscriptions/{id}: plan switches with proration, cancellation dates, collection pauses, discounts, trial."""

from typing import Any

from fake_stripe.billing import periods
from fake_stripe.errors import invalid, missing
from fake_stripe.objects.customers import merge_metadata
from fake_stripe.objects.discounts import redeem
from fake_stripe.objects.subscription_items import change_items, invoice_now
from fake_stripe.objects.subscription_making import TAKEN_OVER
from fake_stripe.routes import route
from fake_stripe.session import Session
from fake_stripe.wire import Json


@route("POST", "/v1/subscriptions/{subscription}", "SubscriptionUpdateParams")
def update_subscription(session: Session, params: Json, key: str) -> Json:
    record = session.load("subscription", key)
    if record["status"] in ("canceled", "incomplete_expired") and params.keys() - {
        "metadata",
        "cancellation_details",
        "expand",
    }:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    before = session.render(record)
    for name in TAKEN_OVER:
        if name in params and name != "cancel_at":
            record[name] = params[name] if params[name] != "" else None
    if record.get("default_payment_method"):
        _own_method(session, record)
    merge_metadata(record, params)
    _cancellation(session, record, params)
    if "pause_collection" in params:
        wish = params["pause_collection"]
        record["pause_collection"] = {"resumes_at": None, **wish} if wish else None
    if "discounts" in params:
        _discounts(session, record, params["discounts"] or [])
    _trial(session, record, params)
    anew = change_items(session, record, params)
    periods.set_due(record, session)
    session.changed(record, before, "customer.subscription.updated")
    if anew or (params.get("proration_behavior") == "always_invoice" and record.get("_pending")):
        invoice_now(session, record, new_period=anew)
    return session.render(session.load("subscription", key))


def _own_method(session: Session, record: Json) -> None:
    key = record["default_payment_method"]
    method = session.load("payment_method", key, param="default_payment_method")
    if method.get("customer") != record["customer"]:
        raise missing("payment_method", key, param="default_payment_method", status=400)


def _cancellation(session: Session, record: Json, params: Json) -> None:
    if "cancellation_details" in params:
        details = {**session.render(record)["cancellation_details"], **params["cancellation_details"]}
        record["cancellation_details"] = {name: value or None for name, value in details.items()}
    wish: Any = record.get("cancel_at")
    if "cancel_at_period_end" in params:
        record["cancel_at_period_end"] = params["cancel_at_period_end"]
        wish = periods.period_end(record) if params["cancel_at_period_end"] else None
    elif "cancel_at" in params:
        record["cancel_at_period_end"] = False
        wish = params["cancel_at"] or None
        if wish in ("min_period_end", "max_period_end"):
            wish = periods.period_end(record)
        if wish and wish <= session.now:
            raise invalid("cancel_at must be a timestamp in the future", param="cancel_at", kept=False)
    else:
        return
    record["cancel_at"] = wish
    record["canceled_at"] = session.now if wish else None
    reason = "cancellation_requested" if wish else None
    record["cancellation_details"] = {**session.render(record)["cancellation_details"], "reason": reason}
    if not wish:
        record["cancellation_details"] = {"comment": None, "feedback": None, "reason": None}


def _discounts(session: Session, record: Json, wanted: list[Json]) -> None:
    """The list replaces what was there."""
    kept = []
    for one in wanted:
        found = redeem(session, one, customer=record["customer"], subscription=record["id"])
        kept.append(found["id"])
    for key in record.get("discounts", []):
        if key not in kept:
            session.emit("customer.discount.deleted", session.render(session.load("discount", key)))
    record["discounts"] = kept


def _trial(session: Session, record: Json, params: Json) -> None:
    end = params.get("trial_end")
    if not end:
        return
    moment = session.now if end == "now" else end
    if end == "now" and record["status"] != "trialing":
        return
    record |= {"trial_end": moment, "billing_cycle_anchor": moment}
    if record.get("trial_start") is None:
        record["trial_start"] = session.now
    if end != "now":
        record["status"] = "trialing"
    for item in record["items"]:
        item["current_period_end"] = moment


@route("DELETE", "/v1/subscriptions/{subscription}/discount", "SubscriptionDeleteDiscountParams")
def delete_discount(session: Session, params: Json, key: str) -> Json:
    record = session.load("subscription", key)
    before = session.render(record)
    _discounts(session, record, [])
    session.changed(record, before, "customer.subscription.updated")
    return {"deleted": True, "object": "discount"}
