"""Subscriptions that end."""

from fake_stripe.session import Session
from fake_stripe.wire import Json


def end_subscription(session: Session, subscription: Json, *, reason: str) -> Json:
    """Cancel now. Open invoices stay open but Stripe stops collecting them by itself."""
    before = session.render(subscription)
    details = {**before["cancellation_details"]}
    details["reason"] = details.get("reason") or reason
    subscription |= {
        "status": "canceled",
        "ended_at": session.now,
        "cancellation_details": details,
        "due": None,
    }
    subscription["status_details"] = None
    subscription["canceled_at"] = subscription.get("canceled_at") or session.now
    for invoice in session.store.find("invoice", subscription=subscription["id"]):
        if invoice["status"] in ("draft", "open") and invoice.get("auto_advance", True):
            old = session.render(invoice)
            invoice |= {"auto_advance": False, "next_payment_attempt": None, "due": None}
            session.changed(invoice, old, "invoice.updated")
    session.save(subscription)
    rendered = session.render(subscription)
    session.emit("customer.subscription.deleted", rendered)
    return rendered
