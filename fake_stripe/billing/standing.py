"""How invoice and subscription stand after a payment attempt: past due, retried by Stripe, at the end of all tries."""

from fake_stripe.objects.customers import set_delinquent
from fake_stripe.session import Session
from fake_stripe.wire import Json

DAY = 86_400
NO_RETRY = {
    "incorrect_number",
    "lost_card",
    "pickup_card",
    "stolen_card",
    "revocation_of_authorization",
    "revocation_of_all_authorizations",
    "authentication_required",
    "transaction_not_allowed",
    "fraudulent",
}


def payment_failed(session: Session, invoice: Json, error: Json, *, counted: bool = False) -> None:
    """Count the attempt, plan Stripe's next one, and tell; a payment that waits for 3-D Secure counts as well."""
    before = session.render(invoice)
    if not counted:
        invoice["attempt_count"] = invoice.get("attempt_count", 0) + 1
    invoice["attempted"] = True
    if error.get("decline_code") in NO_RETRY:
        invoice["_hard_method"] = error.get("payment_method", {}).get("id")
    ended = plan_retry(session, invoice)
    rendered = session.changed(invoice, before, "invoice.updated")
    session.emit("invoice.payment_failed", rendered)
    if error.get("code") == "authentication_required":
        session.emit("invoice.payment_action_required", rendered)
    set_delinquent(session, invoice["customer"], True)
    subscription = session.store.load("subscription", invoice.get("subscription") or "")
    if subscription is None:
        return
    if subscription["status"] in ("active", "trialing"):
        change_status(session, subscription, "past_due")
    if ended:
        end_of_retries(session, subscription)


def payment_processing(session: Session, invoice: Json) -> None:
    """A debit is on its way: the subscription begins without waiting for the bank."""
    subscription = session.store.load("subscription", invoice.get("subscription") or "")
    if subscription and subscription["status"] == "incomplete":
        change_status(session, subscription, "active")


def plan_retry(session: Session, invoice: Json) -> bool:
    """Stripe's own next attempt by the account's schedule; True when the schedule has just ended."""
    days = session.world.settings["retry_days"]
    first = invoice.setdefault("_first_failure", session.now)
    later = [first + day * DAY for day in days if first + day * DAY > session.now]
    if not invoice.get("auto_advance", True) or invoice.get("collection_method") == "send_invoice":
        later = []
    invoice["next_payment_attempt"] = later[0] if later else None
    invoice["due"] = later[0] if later else None
    return bool(days) and not later


def end_of_retries(session: Session, subscription: Json) -> None:
    from fake_stripe.billing.ending import end_subscription

    state = session.world.settings["end_state"]
    if state == "cancel":
        end_subscription(session, subscription, reason="payment_failed")
    elif state == "pause":
        pause(session, subscription, "final_payment_failure")
    elif state == "unpaid":
        change_status(session, subscription, "unpaid")


def payment_succeeded(session: Session, invoice: Json) -> None:
    """A paid latest invoice brings the subscription back; an older one does not."""
    customer = session.store.load("customer", invoice["customer"])
    if customer and customer.get("delinquent"):
        set_delinquent(session, invoice["customer"], False)
    subscription = session.store.load("subscription", invoice.get("subscription") or "")
    if subscription is None or subscription.get("latest_invoice") != invoice["id"]:
        return
    if subscription["status"] in ("incomplete", "past_due", "unpaid"):
        change_status(session, subscription, "active")
    elif subscription["status"] == "paused" and invoice.get("_resumes"):
        from fake_stripe.billing.pausing import resumed

        resumed(session, subscription)


def change_status(session: Session, subscription: Json, status: str, *events: str) -> None:
    from fake_stripe.billing.periods import set_due

    before = session.render(subscription)
    subscription["status"] = status
    set_due(subscription, session)
    session.changed(subscription, before, *(events or ("customer.subscription.updated",)))


def pause(session: Session, subscription: Json, why: str) -> None:
    """Status `paused`: no invoices until resumed."""
    from fake_stripe.billing.periods import set_due

    before = session.render(subscription)
    subscription["status"] = "paused"
    subscription["status_details"] = {
        "paused": {"subscription": {"type": why}, "transitioned_at": session.now, "type": "subscription"}
    }
    set_due(subscription, session)
    session.changed(subscription, before, "customer.subscription.updated", "customer.subscription.paused")
