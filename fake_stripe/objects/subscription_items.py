"""Switching, adding and removing items of a running subscription, with proration."""

from fake_stripe.billing import periods, standing
from fake_stripe.billing.invoicing import finalize, make_invoice
from fake_stripe.billing.paying import method_for, pay_invoice
from fake_stripe.errors import Declined, invalid, missing
from fake_stripe.objects.subscription_making import new_item
from fake_stripe.session import Session, copy
from fake_stripe.wire import Json


def change_items(session: Session, record: Json, params: Json) -> bool:
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


def invoice_now(session: Session, record: Json, *, new_period: bool) -> None:
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
