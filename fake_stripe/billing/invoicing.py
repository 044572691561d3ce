"""Making, finalizing, voiding invoices."""

from typing import Any

from fake_stripe.errors import invalid
from fake_stripe.objects import payment_intents
from fake_stripe.objects.discounts import applied, drop_finished, finish_customer, reductions
from fake_stripe.objects.invoice_payments import close_payment, open_payment
from fake_stripe.session import Session
from fake_stripe.wire import Json

DAY = 86_400


def make_invoice(session: Session, customer: Json, lines: list[Json], *, reason: str, **fields: Any) -> Json:
    """A saved draft. `fields`: subscription, discounts, collection_method, days_until_due, metadata, …"""
    subscription = fields.pop("subscription", None)
    own = fields.pop("discounts", [])
    discounts = applied(customer, own)
    days = fields.pop("days_until_due", None)
    subtotal = sum(line["amount"] for line in lines)
    taken = reductions(session, discounts, subtotal)
    total = subtotal - sum(one["amount"] for one in taken)
    record = session.new(
        "invoice",
        billing_reason=reason,
        currency=fields.pop("currency", None) or customer.get("currency") or "usd",
        customer=customer["id"],
        customer_email=customer.get("email"),
        customer_name=customer.get("name"),
        customer_address=customer.get("address"),
        discounts=discounts,
        status="draft",
        subtotal=subtotal,
        total=total,
        amount_due=max(0, total),
        total_discount_amounts=taken,
        period_start=fields.pop("period_start", session.now),
        period_end=fields.pop("period_end", session.now),
        test_clock=session.clock,
        _lines=lines,
        _days_until_due=days,
        **fields,
    )
    if subscription:
        record["subscription"] = subscription["id"]
        details = {"metadata": subscription.get("metadata", {}), "subscription": subscription["id"]}
        record["parent"] = {
            "quote_details": None,
            "subscription_details": details,
            "type": "subscription_details",
        }
        record["default_payment_method"] = record.get("default_payment_method")
    session.created(record, "invoice.created")
    if discounts and not own:
        finish_customer(session, customer)
    return record


def finalize(session: Session, record: Json) -> Json:
    """draft → open (or paid, when nothing is due)."""
    from fake_stripe.billing.paying import mark_paid

    if record["status"] != "draft":
        raise invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    before = session.render(record)
    customer = session.load("customer", record["customer"], param="customer")
    _number(session, record, customer)
    record |= {"status": "open", "effective_at": session.now, "automatically_finalizes_at": None}
    record["status_transitions"] = {**before["status_transitions"], "finalized_at": session.now}
    page = f"{session.world.public_url}/invoice/{record['id']}"
    record |= {"hosted_invoice_url": page, "invoice_pdf": f"{page}/pdf"}
    if record.get("collection_method") == "send_invoice":
        record["due_date"] = session.now + (record.get("_days_until_due") or 30) * DAY
    record["due"] = record.get("due_date")
    if record["amount_due"] > 0:
        intent = payment_intents.new_intent(
            session,
            amount=record["amount_due"],
            currency=record["currency"],
            customer=record["customer"],
            invoice=record["id"],
        )
        record["payment_intent"] = intent["id"]
        open_payment(session, record, intent)
    session.changed(record, before, "invoice.updated", "invoice.finalized")
    if record["amount_due"] == 0:
        mark_paid(session, record, amount=0)
    return record


def _number(session: Session, record: Json, customer: Json) -> None:
    place = customer.get("next_invoice_sequence", 1)
    record["number"] = f"{customer['invoice_prefix']}-{place:04d}"
    balance = customer.get("balance", 0)
    record["starting_balance"] = balance
    owed = record["total"] + balance
    record |= {"amount_due": max(0, owed), "ending_balance": min(0, owed)}
    session.save({**customer, "next_invoice_sequence": place + 1, "balance": min(0, owed)})


def close(session: Session, record: Json, status: str) -> Json:
    """Void or give up: `void` or `uncollectible`."""
    allowed = ("open", "uncollectible") if status == "void" else ("open",)
    if record["status"] not in allowed:
        verb = "void" if status == "void" else "mark uncollectible"
        raise invalid(
            f"You can only {verb} an invoice that is {' or '.join(allowed)}; it is {record['status']}."
        )
    before = session.render(record)
    moment = "voided_at" if status == "void" else "marked_uncollectible_at"
    record["status"] = status
    record["status_transitions"] = {**before["status_transitions"], moment: session.now}
    record |= {"next_payment_attempt": None, "auto_advance": False}
    record.pop("due", None)
    if status == "void":
        record["amount_due"] = before["amount_due"]
        close_payment(session, record, paid=False)
    name = "invoice.voided" if status == "void" else "invoice.marked_uncollectible"
    return session.changed(record, before, "invoice.updated", name)


def finish_discounts(session: Session, subscription: Json) -> None:
    """Once an invoice carries them, one-time discounts leave the subscription."""
    if subscription.get("discounts"):
        drop_finished(session, subscription)
