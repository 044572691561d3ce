"""The clock's work: whatever is due, in order, each at its own moment."""

from fake_stripe.billing import standing
from fake_stripe.billing.invoicing import close, finalize
from fake_stripe.billing.paying import method_for, pay_invoice, settle_debit
from fake_stripe.billing.renewals import subscription_due
from fake_stripe.errors import Declined
from fake_stripe.objects.checkout import expire
from fake_stripe.objects.method_making import replace_card
from fake_stripe.session import Session
from fake_stripe.wire import Json


def run_due(session: Session, clock: str | None, until: int, *, limit: int = 1_000_000) -> int:
    """Everything due under this clock up to `until`; returns how many things were done."""
    done = 0
    while done < limit and (record := session.store.next_due(clock, until)):
        session.at(clock, max(int(record["due"]), 0))
        _do(session, record)
        done += 1
    session.at(clock, None)
    return done


def _do(session: Session, record: Json) -> None:
    kind = record["object"]
    if kind == "subscription":
        subscription_due(session, record)
    elif kind == "invoice":
        _invoice_due(session, record)
    elif kind == "payment_intent":
        settle_debit(session, record)
    elif kind == "checkout.session":
        expire(session, record)
    elif kind == "payment_method":
        replacement = record["_replacement"]
        replace_card(session, record, number=replacement.get("number"), plan=replacement.get("plan"))


def _invoice_due(session: Session, record: Json) -> None:
    """A draft is finalized and charged; an open one is tried again by Stripe's own schedule."""
    if record["status"] == "draft":
        record = finalize(session, record)
        if record["status"] == "open" and record.get("_then"):
            close(session, record, record["_then"])
            return
    if record["status"] != "open":
        session.save({**record, "due": None})
        return
    if record.get("collection_method") == "send_invoice":
        _sent_invoice_due(session, record)
        return
    method = method_for(session, record)
    session.save({**record, "due": None})
    if method is None or method["id"] == record.get("_hard_method"):
        _without_method(session, record)
        return
    try:
        pay_invoice(session, {**record, "due": None}, method)
    except Declined:
        # Recorded and told by the attempt itself; nobody waits for an answer here.
        return


def _sent_invoice_due(session: Session, record: Json) -> None:
    """Nobody paid the invoice that was sent by its due date. (Just finalized, that date is still ahead.)"""
    if record["due_date"] > session.now:
        session.save({**record, "due": record["due_date"]})
        return
    session.save({**record, "due": None})
    session.emit("invoice.overdue", session.render(record))
    subscription = session.store.load("subscription", record.get("subscription") or "")
    if subscription and subscription["status"] == "active":
        standing.change_status(session, subscription, "past_due")


def _without_method(session: Session, record: Json) -> None:
    """Stripe counts the try, yet nothing runs: no method, or the one that was refused for good."""
    standing.payment_failed(session, {**record, "due": None}, {})
