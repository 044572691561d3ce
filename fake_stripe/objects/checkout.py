"""Checkout sessions in setup mode: a hosted page on which a person saves a payment method."""

from fake_stripe.errors import invalid, missing_param
from fake_stripe.lists import list_of
from fake_stripe.objects.payment_methods import OTHERS
from fake_stripe.objects.setup import confirm, new_setup
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

DAY = 86_400
DEFAULTS: Json = {
    "adaptive_pricing": None,
    "after_expiration": None,
    "allow_promotion_codes": None,
    "amount_subtotal": None,
    "amount_total": None,
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "billing_address_collection": None,
    "cancel_url": None,
    "client_reference_id": None,
    "client_secret": None,
    "collected_information": None,
    "consent": None,
    "consent_collection": None,
    "currency": None,
    "currency_conversion": None,
    "custom_fields": [],
    "custom_text": {
        "after_submit": None,
        "shipping_address": None,
        "submit": None,
        "terms_of_service_acceptance": None,
    },
    "customer": None,
    "customer_account": None,
    "customer_creation": None,
    "customer_details": None,
    "customer_email": None,
    "discounts": None,
    "integration_identifier": None,
    "invoice": None,
    "invoice_creation": None,
    "livemode": False,
    "locale": None,
    "managed_payments": {"enabled": False},
    "metadata": {},
    "origin_context": None,
    "payment_intent": None,
    "payment_link": None,
    "payment_method_collection": "always",
    "payment_method_configuration_details": None,
    "payment_method_options": {},
    "payment_method_types": ["card"],
    "payment_status": "no_payment_required",
    "permissions": None,
    "phone_number_collection": {"enabled": False},
    "recovered_from": None,
    "saved_payment_method_options": None,
    "setup_intent": None,
    "shipping_address_collection": None,
    "shipping_cost": None,
    "shipping_options": [],
    "status": "open",
    "submit_type": None,
    "subscription": None,
    "success_url": None,
    "total_details": None,
    "ui_mode": "hosted_page",
    "url": None,
    "wallet_options": None,
}


@shape("checkout.session")
def session_shape(session: Session, record: Json) -> Json:
    return public(record, DEFAULTS)


@route("POST", "/v1/checkout/sessions", "checkout.SessionCreateParams")
def create_session(session: Session, params: Json) -> Json:
    if params.get("mode") != "setup":
        raise invalid("This fake knows checkout sessions with mode=setup only.", param="mode", kept=False)
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid(
            "This fake knows checkout sessions with ui_mode=hosted_page only.", param="ui_mode", kept=False
        )
    if not params.get("success_url"):
        raise missing_param("success_url")
    kinds = params.get("allowed_payment_method_types")
    if not kinds and not params.get("currency"):
        raise missing_param("currency")
    if key := params.get("customer"):
        session.load("customer", key, param="customer")
    kinds = kinds or ["card", *OTHERS]
    data = params.get("setup_intent_data", {})
    setup = new_setup(session, params.get("customer"), kinds, data.get("metadata") or {})
    record = session.new("checkout.session", status="open", mode="setup", setup_intent=setup["id"])
    given = (
        "cancel_url",
        "client_reference_id",
        "currency",
        "customer",
        "customer_email",
        "locale",
        "metadata",
    )
    record |= {name: params[name] for name in given if name in params}
    record |= {"success_url": params["success_url"], "payment_method_types": kinds}
    record["allowed_payment_method_types"] = kinds
    record["expires_at"] = params.get("expires_at", session.now + DAY)
    record["url"] = f"{session.world.public_url}/checkout/{record['id']}"
    record["due"] = record["expires_at"]
    session.save(record)
    return session.render(record)


def complete(session: Session, record: Json, method: Json, *, authenticated: bool) -> Json:
    """What the hosted page does at the end; returns the setup intent, which may still want authentication."""
    setup = session.load("setup_intent", record["setup_intent"])
    setup["payment_method"] = method["id"]
    rendered = confirm(session, setup, authenticated=authenticated)
    if rendered["status"] == "succeeded":
        finish(session, record)
    return rendered


def finish(session: Session, record: Json) -> Json:
    record |= {"status": "complete", "url": None, "due": None}
    session.save(record)
    rendered = session.render(record)
    session.emit("checkout.session.completed", rendered)
    return rendered


def expire(session: Session, record: Json) -> Json:
    record |= {"status": "expired", "url": None, "due": None}
    session.save(record)
    session.emit("checkout.session.expired", session.render(record))
    return session.render(record)


@route("POST", "/v1/checkout/sessions/{session}/expire", "checkout.SessionExpireParams")
def expire_session(session: Session, params: Json, key: str) -> Json:
    record = session.load("checkout.session", key)
    if record["status"] != "open":
        raise invalid(
            f"Only Checkout Sessions with a status of open can be expired; it is {record['status']}."
        )
    return expire(session, record)


@route("GET", "/v1/checkout/sessions/{session}", "checkout.SessionRetrieveParams")
def get_session(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("checkout.session", key))


@route("GET", "/v1/checkout/sessions", "checkout.SessionListParams")
def list_sessions(session: Session, params: Json) -> Json:
    return list_of(session, "checkout.session", params, "/v1/checkout/sessions")
