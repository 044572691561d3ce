"""One payment attempt: which method, what it answers, and what that does to intent, invoice and subscription."""

from datetime import UTC, datetime

from fake_stripe.billing import standing
from fake_stripe.declines import Refusal, debit_refusal, refusal
from fake_stripe.errors import ApiError, Declined, invalid
from fake_stripe.objects import payment_intents
from fake_stripe.objects.charges import make_charge, settle_charge
from fake_stripe.objects.invoice_payments import close_payment
from fake_stripe.objects.payment_methods import DEBITS
from fake_stripe.outcomes import Step, next_step
from fake_stripe.session import Session
from fake_stripe.wire import Json

DAY = 86_400
NEEDS_ACTION = (
    "This payment requires additional user action before it can be completed successfully. Payment can be "
    "completed using the PaymentIntent associated with the invoice."
)


def method_for(session: Session, invoice: Json) -> Json | None:
    """Stripe's order: the invoice's own, the subscription's default method or source, the customer's."""
    candidates = [invoice.get("default_payment_method"), invoice.get("default_source")]
    if key := invoice.get("subscription"):
        subscription = session.store.load("subscription", key) or {}
        candidates += [subscription.get("default_payment_method"), subscription.get("default_source")]
    customer = session.store.load("customer", invoice["customer"]) or {}
    candidates.append(customer.get("invoice_settings", {}).get("default_payment_method"))
    candidates.append(customer.get("default_source"))
    for candidate in candidates:
        if candidate:
            found = session.store.load("payment_method", candidate)
            if found and found.get("customer") == invoice["customer"]:
                return found
    return None


def pay_invoice(session: Session, invoice: Json, method: Json, *, off_session: bool = True) -> Json:
    """Try once; raises Declined with everything recorded."""
    intent = session.load("payment_intent", invoice["payment_intent"])
    if intent["status"] == "processing":
        message = "This invoice has a payment that is still processing; wait for its outcome."
        raise invalid(message, code="payment_intent_unexpected_state")
    intent["payment_method"] = method["id"]
    intent["payment_method_types"] = [method["type"]]
    try:
        charge_intent(session, intent, off_session=off_session)
    except Declined as decline:
        standing.payment_failed(session, session.load("invoice", invoice["id"]), decline.error)
        raise
    return session.load("invoice", invoice["id"])


def charge_intent(session: Session, intent: Json, *, off_session: bool, authenticated: bool = False) -> None:
    """One attempt of an intent with its payment method; raises Declined after recording the refusal."""
    if not intent.get("payment_method"):
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise invalid(message, code="payment_intent_unexpected_state")
    method = session.load("payment_method", intent["payment_method"], param="payment_method")
    step = _take_step(session, method, intent, authenticated=authenticated)
    if method["type"] in DEBITS:
        _start_debit(session, intent, method, step)
    elif step == "ok":
        _succeed(session, intent, make_charge(session, intent, method, "succeeded", None))
    elif step == "3ds" and not off_session:
        payment_intents.ask_for_action(session, intent, method)
        if invoice := intent.get("invoice"):
            session.emit("invoice.payment_action_required", session.render(session.load("invoice", invoice)))
            raise action_needed(session, intent)
    else:
        _fail(session, intent, method, refusal("authentication_required" if step == "3ds" else step))


def _take_step(session: Session, method: Json, intent: Json, *, authenticated: bool) -> Step:
    """The plan's answer to this attempt. Counts the use."""
    plan = method.get("_plan") or {"attempts": ["ok"]}
    uses = method.get("_uses", 0)
    if plan.get("per") == "invoice":
        count = session.store.rows(
            "SELECT count(*) AS n FROM ledger WHERE payment_intent = ? AND payment_method = ?",
            (intent["id"], method["id"]),
        )
        uses = count[0]["n"]
    step = next_step(plan, uses=uses, now=session.now)
    method["_uses"] = method.get("_uses", 0) + 1
    session.save(method)
    if authenticated:
        return "ok" if step == "3ds" else step
    if method.get("_authenticate_setup") and not method.get("_authenticated"):
        return "3ds"
    return "expired_card" if step == "ok" and expired(method, session.now) else step


def expired(method: Json, now: int) -> bool:
    card: Json = method.get("card") or {}
    today = datetime.fromtimestamp(now, UTC)
    return bool(card) and (card["exp_year"], card["exp_month"]) < (today.year, today.month)


def _start_debit(session: Session, intent: Json, method: Json, step: Step) -> None:
    charge = make_charge(session, intent, method, "pending", None)
    intent["_step"] = step
    days = session.world.settings["debit_days"]
    payment_intents.wait_for_debit(session, intent, charge, session.now + days * DAY)
    if key := intent.get("invoice"):
        invoice = session.load("invoice", key)
        before = session.render(invoice)
        invoice |= {"attempted": True, "attempt_count": invoice.get("attempt_count", 0) + 1}
        session.changed(invoice, before, "invoice.updated")
        standing.payment_processing(session, invoice)


def settle_debit(session: Session, intent: Json) -> None:
    """The bank's answer, days later."""
    charge = session.load("charge", intent["latest_charge"])
    step = intent.pop("_step", "ok")
    if step == "ok":
        _succeed(session, intent, settle_charge(session, charge, None), counted=True)
        return
    why = debit_refusal(step)
    method = session.load("payment_method", charge["payment_method"], param="payment_method")
    settle_charge(session, charge, why)
    payment_intents.fail(session, intent, charge, method, why)
    if key := intent.get("invoice"):
        standing.payment_failed(session, session.load("invoice", key), {"code": why.code}, counted=True)


def _succeed(session: Session, intent: Json, charge: Json, *, counted: bool = False) -> None:
    payment_intents.succeed(session, intent, charge)
    if key := intent.get("invoice"):
        invoice = session.load("invoice", key)
        if not counted:
            invoice["attempt_count"] = invoice.get("attempt_count", 0) + 1
        mark_paid(session, invoice, amount=intent["amount"])


def _fail(session: Session, intent: Json, method: Json, why: Refusal) -> None:
    charge = make_charge(session, intent, method, "failed", why)
    payment_intents.fail(session, intent, charge, method, why)
    raise declined(session, intent)


def mark_paid(session: Session, invoice: Json, *, amount: int, off_stripe: bool = False) -> Json:
    """The invoice is settled by `amount` minor units; the subscription follows."""
    before = session.render(session.load("invoice", invoice["id"]))
    invoice |= {"status": "paid", "attempted": True, "amount_paid": amount, "next_payment_attempt": None}
    invoice |= {"auto_advance": False}
    if off_stripe:
        invoice["amount_paid_off_stripe"] = amount
    invoice["status_transitions"] = {**before["status_transitions"], "paid_at": session.now}
    invoice.pop("due", None)
    close_payment(session, invoice, paid=not off_stripe)
    rendered = session.changed(invoice, before, "invoice.updated")
    session.emit("invoice.paid", rendered)
    session.emit("invoice.payment_succeeded", rendered)
    standing.payment_succeeded(session, invoice)
    return rendered


def declined(session: Session, intent: Json) -> Declined:
    """The error of a refused payment, as the API answers it."""
    why = intent["last_payment_error"]
    details = {key: value for key, value in why.items() if key not in ("type", "message", "doc_url")}
    return Declined(402, "card_error", why["message"], payment_intent=session.render(intent), **details)


def action_needed(session: Session, intent: Json) -> ApiError:
    code = "invoice_payment_intent_requires_action"
    return Declined(402, "card_error", NEEDS_ACTION, code=code, payment_intent=session.render(intent))
