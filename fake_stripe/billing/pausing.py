"""Pausing and resuming a whole subscription (status `paused`); `pause_collection` is another thing and lives in renewals."""

from contextlib import suppress

from fake_stripe.billing import periods, standing
from fake_stripe.billing.invoicing import finalize, make_invoice
from fake_stripe.billing.paying import method_for, pay_invoice
from fake_stripe.errors import Declined, invalid
from fake_stripe.session import Session
from fake_stripe.wire import Json


def pause_subscription(session: Session, subscription: Json, params: Json) -> Json:
    """At the merchant's wish. Needs the flexible billing mode, as Stripe does."""
    if subscription.get("billing_mode", {}).get("type", "flexible") != "flexible":
        raise invalid("Pausing a subscription requires billing_mode[type]=flexible.", param="billing_mode")
    if subscription["status"] not in ("active", "trialing", "past_due"):
        raise invalid(f"A subscription with status {subscription['status']} cannot be paused.")
    subscription["_pending"] = subscription.get("_pending", []) + _unused_time(session, subscription, params)
    standing.pause(session, subscription, "pause_requested")
    if params.get("invoicing_behavior") == "invoice" and subscription["_pending"]:
        customer = session.load("customer", subscription["customer"])
        lines, subscription["_pending"] = subscription["_pending"], []
        session.save(subscription)
        finalize(
            session,
            make_invoice(session, customer, lines, reason="subscription_update", subscription=subscription),
        )
    return session.render(session.load("subscription", subscription["id"]))


def _unused_time(session: Session, subscription: Json, params: Json) -> list[Json]:
    """A credit for the paid days that are left (default), or from the period's start, or none."""
    wish = params.get("bill_for", {}).get("unused_time_from", {}).get("type", "now")
    if wish == "none" or subscription["status"] != "active":
        return []
    lines = []
    for item in subscription["items"]:
        start, end = item["current_period_start"], item["current_period_end"]
        since = start if wish == "item_current_period_start" else session.now
        price = periods.price_of(session, item)
        full = (price.get("unit_amount") or 0) * item.get("quantity", 1)
        credit = -round(full * (end - since) / (end - start))
        words = "Unused time while paused"
        lines.append(
            periods.line_of(
                session,
                subscription,
                item,
                start=since,
                end=end,
                amount=credit,
                proration=True,
                description=words,
            )
        )
    return [line for line in lines if line["amount"]]


def resume_subscription(session: Session, subscription: Json, params: Json) -> Json:
    """Back to `active`: with a new period from now and its invoice, or within the unchanged cycle without one."""
    if subscription["status"] != "paused":
        raise invalid("Only a paused subscription can be resumed.")
    anchor = params.get("billing_cycle_anchor", {"type": "now"})["type"]
    if anchor == "unchanged":
        while periods.period_end(subscription) <= session.now:
            periods.start_period(session, subscription, periods.period_end(subscription))
        return resumed(session, subscription)
    subscription["billing_cycle_anchor"] = session.now
    periods.start_period(session, subscription, session.now)
    lines = periods.lines_of(session, subscription) + subscription.pop("_pending", [])
    customer = session.load("customer", subscription["customer"])
    invoice = make_invoice(
        session,
        customer,
        lines,
        reason="subscription_update",
        subscription=subscription,
        discounts=subscription.get("discounts", []),
        _resumes=True,
    )
    subscription["latest_invoice"] = invoice["id"]
    session.save(subscription)
    invoice = finalize(session, invoice)
    if params.get("payment_behavior") != "resume_on_payment_success":
        subscription = session.load("subscription", subscription["id"])
        if subscription["status"] == "paused":
            resumed(session, subscription)
    method = method_for(session, invoice)
    if invoice["status"] == "open" and method:
        with suppress(Declined):
            pay_invoice(session, invoice, method)
    return session.render(session.load("subscription", subscription["id"]))


def resumed(session: Session, subscription: Json) -> Json:
    subscription["status_details"] = None
    standing.change_status(
        session, subscription, "active", "customer.subscription.updated", "customer.subscription.resumed"
    )
    return session.render(subscription)
