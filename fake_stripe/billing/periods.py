"""Periods of a subscription: where they end, what they cost, and when the clock must look again."""

from fake_stripe.ids import new_id
from fake_stripe.months import add_interval
from fake_stripe.session import Session
from fake_stripe.wire import Json

DAY = 86_400
# Statuses in which Stripe goes on making invoices.
BILLED = ("active", "past_due", "unpaid", "trialing")


def price_of(session: Session, item: Json) -> Json:
    return session.load("price", item["price"], param="items[0][price]")


def interval_of(session: Session, item: Json) -> tuple[str, int]:
    recurring = price_of(session, item)["recurring"]
    return recurring["interval"], recurring["interval_count"]


def period_end(subscription: Json) -> int:
    return int(min(item["current_period_end"] for item in subscription["items"]))


def start_period(session: Session, subscription: Json, start: int, end: int | None = None) -> None:
    """Every item's current period begins at `start`; a trial gives its own end."""
    for item in subscription["items"]:
        interval, count = interval_of(session, item)
        anchor = subscription["billing_cycle_anchor"]
        item["current_period_start"] = start
        item["current_period_end"] = end or add_interval(start, interval, count, anchor=anchor)


def lines_of(
    session: Session, subscription: Json, *, start: int | None = None, end: int | None = None
) -> list[Json]:
    """One line per item for its current period."""
    return [
        line_of(
            session,
            subscription,
            item,
            start=start or item["current_period_start"],
            end=end or item["current_period_end"],
        )
        for item in subscription["items"]
    ]


def line_of(
    session: Session,
    subscription: Json,
    item: Json,
    *,
    start: int,
    end: int,
    amount: int | None = None,
    proration: bool = False,
    description: str = "",
) -> Json:
    price = price_of(session, item)
    quantity = item.get("quantity", 1)
    product = session.store.load("product", price["product"]) or {}
    name = product.get("name", "Subscription")
    each = price.get("unit_amount") or 0
    details = {
        "invoice_item": None,
        "proration": proration,
        "proration_details": {"credited_items": None},
        "subscription": subscription["id"],
        "subscription_item": item["id"],
    }
    return {
        "id": new_id("line_item"),
        "amount": each * quantity if amount is None else amount,
        "description": description or f"{quantity} × {name}",
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": details,
            "type": "subscription_item_details",
        },
        "period": {"start": start, "end": end},
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price.get("unit_amount_decimal"),
        },
        "quantity": quantity,
    }


def set_due(subscription: Json, session: Session) -> None:
    """When the clock has to look at this subscription next."""
    status = subscription["status"]
    moments = [subscription.get("cancel_at")]
    if status in BILLED:
        end = period_end(subscription)
        moments.append(end)
        early = end - session.world.settings["upcoming_days"] * DAY
        if subscription.get("_told_upcoming") != end and status != "unpaid":
            moments.append(max(early, subscription["created"]))
        if status == "trialing" and subscription.get("_told_trial") != subscription["trial_end"]:
            moments.append(max(subscription["trial_end"] - 3 * DAY, subscription["created"]))
    if status == "incomplete":
        moments.append(subscription["created"] + 23 * 3600)
    collection = subscription.get("pause_collection")
    if collection and collection.get("resumes_at"):
        moments.append(collection["resumes_at"])
    known = [moment for moment in moments if moment]
    finished = status in ("canceled", "incomplete_expired")
    subscription["due"] = min(known) if known and not finished else None
