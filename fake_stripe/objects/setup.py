"""Setup intents, checkout sessions in setup mode, and what the hosted page does with them."""

from fake_stripe.errors import invalid, missing_param
from fake_stripe.ids import random_text
from fake_stripe.lists import list_of
from fake_stripe.objects.payment_methods import attach
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

INTENT: Json = {
    "application": None,
    "automatic_payment_methods": None,
    "cancellation_reason": None,
    "customer": None,
    "customer_account": None,
    "description": None,
    "excluded_payment_method_types": None,
    "flow_directions": None,
    "last_setup_error": None,
    "latest_attempt": None,
    "livemode": False,
    "mandate": None,
    "metadata": {},
    "next_action": None,
    "on_behalf_of": None,
    "payment_method": None,
    "payment_method_configuration_details": None,
    "payment_method_options": {},
    "payment_method_types": ["card"],
    "single_use_mandate": None,
    "status": "requires_payment_method",
    "usage": "off_session",
}


@shape("setup_intent")
def intent_shape(session: Session, record: Json) -> Json:
    return public(record, INTENT)


def new_setup(session: Session, customer: str | None, kinds: list[str], metadata: Json) -> Json:
    record = session.new("setup_intent", customer=customer, payment_method_types=kinds, metadata=metadata)
    record |= {
        "client_secret": f"{record['id']}_secret_{random_text(25)}",
        "status": "requires_payment_method",
    }
    session.created(record, "setup_intent.created")
    return record


@route("POST", "/v1/setup_intents", "SetupIntentCreateParams")
def create_setup(session: Session, params: Json) -> Json:
    if key := params.get("customer"):
        session.load("customer", key, param="customer")
    kinds = params.get("payment_method_types") or params.get("allowed_payment_method_types") or ["card"]
    record = new_setup(session, params.get("customer"), kinds, params.get("metadata") or {})
    record["usage"] = params.get("usage", "off_session")
    record["description"] = params.get("description")
    session.save(record)
    if method := params.get("payment_method"):
        record |= {"payment_method": method, "status": "requires_confirmation"}
        session.save(record)
    if params.get("confirm"):
        return confirm(session, record, authenticated=False)
    return session.render(record)


@route("POST", "/v1/setup_intents/{intent}/confirm", "SetupIntentConfirmParams")
def confirm_setup(session: Session, params: Json, key: str) -> Json:
    record = session.load("setup_intent", key)
    if record["status"] in ("succeeded", "canceled"):
        message = f"You cannot confirm this SetupIntent because it has already {record['status']}."
        raise invalid(message, code="setup_intent_unexpected_state")
    record["payment_method"] = params.get("payment_method", record.get("payment_method"))
    return confirm(session, record, authenticated=False)


def confirm(session: Session, record: Json, *, authenticated: bool) -> Json:
    """Save the method with the customer; a card that wants 3-D Secure asks for it first."""
    if not record.get("payment_method"):
        raise missing_param("payment_method")
    method = (
        attach(session, record["payment_method"], record["customer"])
        if record.get("customer")
        else (session.load("payment_method", record["payment_method"], param="payment_method"))
    )
    record["payment_method"] = method["id"]
    before = session.render(record)
    wants = method.get("_authenticate_setup") or method.get("_plan", {}).get("attempts", [""])[0] == "3ds"
    if wants and not authenticated:
        url = f"{session.world.public_url}/authenticate/{record['id']}"
        record["next_action"] = {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": None, "url": url},
        }
        record["status"] = "requires_action"
        return session.changed(record, before, "setup_intent.requires_action")
    if authenticated:
        session.save({**method, "_authenticated": True})
    if method["type"] in ("sepa_debit", "us_bank_account"):
        record["mandate"] = f"mandate_{random_text(24)}"
    record |= {"status": "succeeded", "next_action": None}
    return session.changed(record, before, "setup_intent.succeeded")


@route("POST", "/v1/setup_intents/{intent}/cancel", "SetupIntentCancelParams")
def cancel_setup(session: Session, params: Json, key: str) -> Json:
    record = session.load("setup_intent", key)
    before = session.render(record)
    record |= {"status": "canceled", "cancellation_reason": params.get("cancellation_reason")}
    return session.changed(record, before, "setup_intent.canceled")


@route("GET", "/v1/setup_intents/{intent}", "SetupIntentRetrieveParams")
def get_setup(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("setup_intent", key))


@route("GET", "/v1/setup_intents", "SetupIntentListParams")
def list_setups(session: Session, params: Json) -> Json:
    return list_of(session, "setup_intent", params, "/v1/setup_intents")
