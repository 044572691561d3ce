"""POST /v1/subscriptions/{id}: plan switches with proration, cancellation dates, collection pauses, discounts, trial."""

from typing import Any

from fake_stripe.billing import periods, standing
from fake_stripe.billing.invoicing import finalize, make_invoice
from fake_stripe.billing.paying import method_for, pay_invoice
from fake_stripe.errors import Declined, invalid, missing
from fake_stripe.objects.customers import merge_metadata
from fake_stripe.objects.discounts import redeem
from fake_stripe.objects.subscriptions import TAKEN_OVER, new_item
from fake_stripe.routes import route
from fake_stripe.session import Session, copy
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
    anew = _items(session, record, params)
    periods.set_due(record, session)
    session.changed(record, before, "customer.subscription.updated")
    if anew or (params.get("proration_behavior") == "always_invoice" and record.get("_pending")):
        _invoice_now(session, record, new_period=anew)
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


def _items(session: Session, record: Json, params: Json) -> bool:
    """Switch, add or remove items; True when a new billing period begins now."""
    old = copy(record)
    for given in params.get("items", []):
        _item(session, record, given)
    if not record["items"]:
        raise invalid("A subscription must have at least one active plan.", param="items", kept=False)
    anchor_now = params.get("billing_cycle_anchor") == "now"
    changed = {item["id"]: (item["price"], item["quantity"]) for item in record["items"]} != {
        item["id"]: (item["price"], item["quantity"]) for item in old["items"]
    }
    same_rhythm = {periods.interval_of(session, item) for item in record["items"]} == {
        periods.interval_of(session, item) for item in old["items"]
    }
    anew = anchor_now or not same_rhythm
    if not (changed or anew) or record["status"] == "trialing":
        return False
    if params.get("proration_behavior") != "none":
        record["_pending"] = record.get("_pending", []) + _prorations(session, old, record, credit_only=anew)
    if anew:
        record["billing_cycle_anchor"] = session.now
        periods.start_period(session, record, session.now)
    return anew


def _item(session: Session, record: Json, given: Json) -> None:
    key = given.get("id")
    if not key:
        item = new_item(session, given)
        first = record["items"][0]
        item |= {name: first[name] for name in ("current_period_start", "current_period_end")}
        record["items"].append(item)
        return
    found = next((item for item in record["items"] if item["id"] == key), None)
    if found is None:
        raise missing("subscription_item", key, param="items[0][id]", status=400)
    if given.get("deleted"):
        record["items"].remove(found)
        return
    if price := given.get("price"):
        session.load("price", price, param="items[0][price]")
        found["price"] = price
    found["quantity"] = given.get("quantity", found["quantity"])


def _prorations(session: Session, old: Json, new: Json, *, credit_only: bool) -> list[Json]:
    """Credit for the unused rest of the old items, charge for the rest of the period on the new ones."""
    lines = []
    for sign, owner, words in ((-1, old, "Unused time"), (1, new, "Remaining time")):
        if sign > 0 and credit_only:
            continue
        for item in owner["items"]:
            start, end = item["current_period_start"], item["current_period_end"]
            price = periods.price_of(session, item)
            full = (price.get("unit_amount") or 0) * item["quantity"]
            amount = sign * round(full * max(0, end - session.now) / (end - start))
            lines.append(
                periods.line_of(
                    session,
                    owner,
                    item,
                    start=session.now,
                    end=end,
                    amount=amount,
                    proration=True,
                    description=words,
                )
            )
    return lines


def _invoice_now(session: Session, record: Json, *, new_period: bool) -> None:
    lines = (periods.lines_of(session, record) if new_period else []) + record.pop("_pending", [])
    customer = session.load("customer", record["customer"])
    invoice = make_invoice(
        session,
        customer,
        lines,
        reason="subscription_update",
        subscription=record,
        discounts=record.get("discounts", []),
        currency=record["currency"],
        collection_method=record.get("collection_method", "charge_automatically"),
        days_until_due=record.get("days_until_due"),
    )
    record["latest_invoice"] = invoice["id"]
    session.save(record)
    invoice = finalize(session, invoice)
    if invoice["status"] != "open" or invoice.get("collection_method") == "send_invoice":
        return
    method = method_for(session, invoice)
    if method is None:
        standing.payment_failed(session, invoice, {})
        return
    try:
        pay_invoice(session, invoice, method)
    except Declined:
        # The change stays and the subscription is past due, as with Stripe's allow_incomplete.
        return


@route("DELETE", "/v1/subscriptions/{subscription}/discount", "SubscriptionDeleteDiscountParams")
def delete_discount(session: Session, params: Json, key: str) -> Json:
    record = session.load("subscription", key)
    before = session.render(record)
    _discounts(session, record, [])
    session.changed(record, before, "customer.subscription.updated")
    return {"deleted": True, "object": "discount"}
