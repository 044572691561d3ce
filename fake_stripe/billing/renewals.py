"""What a subscription does when its moment has come: upcoming notice, renewal, end of trial, cancellation."""

from fake_stripe.billing import periods, standing
from fake_stripe.billing.ending import end_subscription
from fake_stripe.billing.invoicing import close, finish_discounts, make_invoice
from fake_stripe.billing.paying import method_for
from fake_stripe.objects.discounts import applied, reductions
from fake_stripe.session import Session, copy
from fake_stripe.wire import Json

DAY = 86_400


def subscription_due(session: Session, record: Json) -> None:
    """Do the first thing that is due and set the next moment."""
    now = session.now
    if record["status"] == "incomplete":
        _expire(session, record)
        return
    if (record.get("cancel_at") or now + 1) <= now:
        end_subscription(session, record, reason="cancellation_requested")
        return
    collection = record.get("pause_collection")
    if collection and (collection.get("resumes_at") or now + 1) <= now:
        before = session.render(record)
        record["pause_collection"] = None
        periods.set_due(record, session)
        session.changed(record, before, "customer.subscription.updated")
        return
    if periods.period_end(record) <= now:
        _renew(session, record)
        return
    _tell_ahead(session, record)


def _tell_ahead(session: Session, record: Json) -> None:
    """`customer.subscription.trial_will_end` three days before, `invoice.upcoming` as many as the account says."""
    trial_end, end = record.get("trial_end") or 0, periods.period_end(record)
    ending = record["status"] == "trialing" and trial_end - 3 * DAY <= session.now
    if ending and record.get("_told_trial") != trial_end:
        record["_told_trial"] = trial_end
        session.emit("customer.subscription.trial_will_end", session.render(record))
    near = end - session.world.settings["upcoming_days"] * DAY <= session.now
    if near and record.get("_told_upcoming") != end:
        record["_told_upcoming"] = end
        session.emit("invoice.upcoming", preview(session, record))
    periods.set_due(record, session)
    session.save(record)


def preview(session: Session, subscription: Json) -> Json:
    """The next renewal's invoice, not saved: what `invoice.upcoming` and create_preview show."""
    ahead = copy(subscription)
    end = periods.period_end(ahead)
    lines = ahead.get("_pending", [])
    if not ahead.get("cancel_at_period_end"):
        periods.start_period(session, ahead, end)
        lines = periods.lines_of(session, ahead) + lines
    customer = session.load("customer", subscription["customer"], param="customer")
    subtotal = sum(line["amount"] for line in lines)
    discounts = applied(customer, subscription.get("discounts", []))
    taken = reductions(session, discounts, subtotal)
    total = subtotal - sum(one["amount"] for one in taken)
    details = {"metadata": subscription.get("metadata", {}), "subscription": subscription["id"]}
    record = {
        "id": f"upcoming_{subscription['id']}",
        "object": "invoice",
        "created": end,
        "billing_reason": "upcoming",
        "currency": subscription["currency"],
        "customer": customer["id"],
        "customer_email": customer.get("email"),
        "customer_name": customer.get("name"),
        "discounts": discounts,
        "status": "draft",
        "subtotal": subtotal,
        "total": total,
        "amount_due": max(0, total + customer.get("balance", 0)),
        "starting_balance": customer.get("balance", 0),
        "total_discount_amounts": taken,
        "period_start": subscription["items"][0]["current_period_start"],
        "period_end": end,
        "next_payment_attempt": end + session.world.settings["finalize_after_seconds"],
        "parent": {"quote_details": None, "subscription_details": details, "type": "subscription_details"},
        "subscription": subscription["id"],
        "_lines": lines,
    }
    return session.render(record)


def _expire(session: Session, record: Json) -> None:
    """A first payment that nobody made within 23 hours."""
    before = session.render(record)
    record |= {"status": "incomplete_expired", "due": None, "ended_at": session.now}
    session.changed(record, before, "customer.subscription.updated")
    invoice = session.store.load("invoice", record.get("latest_invoice") or "")
    if invoice and invoice["status"] == "open":
        close(session, invoice, "void")


def _renew(session: Session, record: Json) -> None:
    """A new period and its draft invoice, which the clock finalizes and charges an hour later."""
    if record.get("cancel_at_period_end"):
        end_subscription(session, record, reason="cancellation_requested")
        return
    trial_over = record["status"] == "trialing"
    behavior = record.get("trial_settings", {}).get("end_behavior", {}).get("missing_payment_method")
    before = session.render(record)
    start = periods.period_end(record)
    if trial_over:
        record["billing_cycle_anchor"] = start
        if (
            behavior in ("cancel", "pause")
            and method_for(session, {**record, "subscription": record["id"]}) is None
        ):
            _trial_without_method(session, record, behavior)
            return
        record["status"] = "active"
    periods.start_period(session, record, start)
    invoice = _draft(session, record, since=before["items"]["data"][0]["current_period_start"], until=start)
    record["latest_invoice"] = invoice["id"]
    finish_discounts(session, record)
    periods.set_due(record, session)
    session.changed(record, before, "customer.subscription.updated")
    _hold_collection(session, record, invoice)


def _draft(session: Session, record: Json, *, since: int, until: int) -> Json:
    customer = session.load("customer", record["customer"])
    lines = periods.lines_of(session, record) + record.pop("_pending", [])
    wait = session.world.settings["finalize_after_seconds"]
    return make_invoice(
        session,
        customer,
        lines,
        reason="subscription_cycle",
        subscription=record,
        discounts=record.get("discounts", []),
        collection_method=record.get("collection_method", "charge_automatically"),
        days_until_due=record.get("days_until_due"),
        currency=record["currency"],
        period_start=since,
        period_end=until,
        automatically_finalizes_at=session.now + wait,
        auto_advance=record["status"] != "unpaid",
        due=session.now + wait if record["status"] != "unpaid" else None,
    )


def _hold_collection(session: Session, record: Json, invoice: Json) -> None:
    """`pause_collection`: the invoice is made, but kept, voided or given up."""
    behavior = (record.get("pause_collection") or {}).get("behavior")
    if behavior == "keep_as_draft":
        session.save({**invoice, "auto_advance": False, "automatically_finalizes_at": None, "due": None})
    elif behavior:
        invoice["_then"] = "void" if behavior == "void" else "uncollectible"
        session.save(invoice)


def _trial_without_method(session: Session, record: Json, behavior: str) -> None:
    if behavior == "cancel":
        end_subscription(session, record, reason="payment_failed")
    else:
        standing.pause(session, record, "trial_end_without_payment_method")
