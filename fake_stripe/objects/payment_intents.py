"""Payment intents: one per invoice (or made directly), each attempt a charge."""

from fake_stripe.declines import Refusal
from fake_stripe.errors import invalid
from fake_stripe.ids import random_text
from fake_stripe.lists import list_of
from fake_stripe.objects.customers import merge_metadata
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

DEFAULTS: Json = {
    "amount_capturable": 0,
    "amount_details": {"tip": {}},
    "amount_received": 0,
    "application": None,
    "application_fee_amount": None,
    "automatic_payment_methods": None,
    "canceled_at": None,
    "cancellation_reason": None,
    "capture_method": "automatic",
    "confirmation_method": "automatic",
    "customer": None,
    "customer_account": None,
    "description": None,
    "excluded_payment_method_types": None,
    "last_payment_error": None,
    "latest_charge": None,
    "livemode": False,
    "managed_payments": {"enabled": False},
    "metadata": {},
    "next_action": None,
    "on_behalf_of": None,
    "payment_method": None,
    "payment_method_configuration_details": None,
    "payment_method_options": {},
    "payment_method_types": ["card"],
    "processing": None,
    "receipt_email": None,
    "review": None,
    "setup_future_usage": None,
    "shipping": None,
    "source": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "status": "requires_payment_method",
    "transfer_data": None,
    "transfer_group": None,
}


@shape("payment_intent")
def intent_shape(session: Session, record: Json) -> Json:
    shown = public(record, DEFAULTS)
    shown.pop("invoice", None)
    return shown


def new_intent(
    session: Session, *, amount: int, currency: str, customer: str | None, invoice: str | None
) -> Json:
    record = session.new(
        "payment_intent", amount=amount, currency=currency, customer=customer, invoice=invoice
    )
    record["client_secret"] = f"{record['id']}_secret_{random_text(25)}"
    record["status"] = "requires_payment_method"
    if invoice:
        record |= {"description": "Subscription invoice", "setup_future_usage": "off_session"}
    session.created(record, "payment_intent.created")
    return record


def succeed(session: Session, record: Json, charge: Json) -> None:
    before = session.render(record)
    record |= {"status": "succeeded", "amount_received": record["amount"], "latest_charge": charge["id"]}
    record |= {"last_payment_error": None, "next_action": None, "processing": None}
    record["payment_method"] = charge["payment_method"]
    record.pop("due", None)
    session.changed(record, before, "payment_intent.succeeded")


def fail(session: Session, record: Json, charge: Json | None, method: Json, refusal: Refusal) -> None:
    """Back to `requires_payment_method`, with the reason."""
    before = session.render(record)
    record |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "processing": None,
    }
    record["last_payment_error"] = payment_error(session, charge, method, refusal)
    record["latest_charge"] = charge["id"] if charge else record.get("latest_charge")
    record.pop("due", None)
    session.changed(record, before, "payment_intent.payment_failed")


def payment_error(session: Session, charge: Json | None, method: Json, refusal: Refusal) -> Json:
    error: Json = {
        "advice_code": refusal.advice_code,
        "charge": charge["id"] if charge else None,
        "code": refusal.code,
        "decline_code": refusal.decline_code,
        "doc_url": "https://stripe.com/docs/error-codes/" + refusal.code.replace("_", "-"),
        "message": refusal.message,
        "network_advice_code": refusal.network_advice_code,
        "network_decline_code": refusal.network_decline_code,
        "payment_method": session.render(method),
        "type": "card_error",
    }
    return {key: value for key, value in error.items() if value is not None}


def ask_for_action(session: Session, record: Json, method: Json) -> None:
    """3-D Secure: the person has to confirm on a page."""
    before = session.render(record)
    url = f"{session.world.public_url}/authenticate/{record['id']}"
    record |= {"status": "requires_action", "payment_method": method["id"]}
    record["next_action"] = {"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": url}}
    session.changed(record, before, "payment_intent.requires_action")


def wait_for_debit(session: Session, record: Json, charge: Json, due: int) -> None:
    before = session.render(record)
    record |= {
        "status": "processing",
        "latest_charge": charge["id"],
        "payment_method": charge["payment_method"],
    }
    record["due"] = due
    session.changed(record, before, "payment_intent.processing")


@route("POST", "/v1/payment_intents", "PaymentIntentCreateParams")
def create_intent(session: Session, params: Json) -> Json:
    from fake_stripe.billing.paying import charge_intent

    customer, method = params.get("customer"), params.get("payment_method")
    if customer:
        session.load("customer", customer, param="customer")
    record = new_intent(
        session, amount=params["amount"], currency=params["currency"], customer=customer, invoice=None
    )
    record["description"] = params.get("description")
    record["setup_future_usage"] = params.get("setup_future_usage")
    if method:
        record |= {"payment_method": method, "status": "requires_confirmation"}
    merge_metadata(record, params)
    session.save(record)
    if params.get("confirm"):
        charge_intent(
            session, record, off_session=params.get("off_session") in (True, "one_off", "recurring")
        )
    return session.render(record)


@route("POST", "/v1/payment_intents/{intent}/confirm", "PaymentIntentConfirmParams")
def confirm_intent(session: Session, params: Json, key: str) -> Json:
    from fake_stripe.billing.paying import charge_intent

    record = session.load("payment_intent", key)
    if record["status"] in ("succeeded", "canceled", "processing"):
        message = f"You cannot confirm this PaymentIntent because it has a status of {record['status']}."
        raise invalid(message, code="payment_intent_unexpected_state")
    record["payment_method"] = params.get("payment_method", record.get("payment_method"))
    charge_intent(session, record, off_session=params.get("off_session") in (True, "one_off", "recurring"))
    return session.render(record)


@route("POST", "/v1/payment_intents/{intent}/cancel", "PaymentIntentCancelParams")
def cancel_intent(session: Session, params: Json, key: str) -> Json:
    record = session.load("payment_intent", key)
    if record["status"] in ("succeeded", "canceled"):
        message = f"You cannot cancel this PaymentIntent because it has a status of {record['status']}."
        raise invalid(message, code="payment_intent_unexpected_state")
    return cancel(session, record, params.get("cancellation_reason"))


def cancel(session: Session, record: Json, reason: str | None) -> Json:
    before = session.render(record)
    record |= {
        "status": "canceled",
        "canceled_at": session.now,
        "cancellation_reason": reason,
        "next_action": None,
    }
    record.pop("due", None)
    return session.changed(record, before, "payment_intent.canceled")


@route("GET", "/v1/payment_intents/{intent}", "PaymentIntentRetrieveParams")
def get_intent(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("payment_intent", key))


@route("GET", "/v1/payment_intents", "PaymentIntentListParams")
def list_intents(session: Session, params: Json) -> Json:
    return list_of(session, "payment_intent", params, "/v1/payment_intents")
