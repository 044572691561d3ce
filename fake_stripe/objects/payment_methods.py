"""Payment methods: cards by number or token, debits, wallets; and what they will answer when charged."""

from fake_stripe.errors import invalid, missing_param
from fake_stripe.lists import list_of
from fake_stripe.objects.customers import merge_metadata
from fake_stripe.objects.method_making import from_token, new_card, new_other
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

NO_BILLING_DETAILS: Json = {
    "address": {
        "city": None,
        "country": None,
        "line1": None,
        "line2": None,
        "postal_code": None,
        "state": None,
    },
    "email": None,
    "name": None,
    "phone": None,
    "tax_id": None,
}
DEFAULTS: Json = {
    "allow_redisplay": "unspecified",
    "billing_details": NO_BILLING_DETAILS,
    "customer": None,
    "customer_account": None,
    "livemode": False,
    "metadata": {},
}
# Settled days later instead of at once.
DEBITS = ("sepa_debit", "us_bank_account")
OTHERS = ("paypal", "link", *DEBITS)


@shape("payment_method")
def method_shape(session: Session, record: Json) -> Json:
    return public(record, DEFAULTS)


@route("POST", "/v1/payment_methods", "PaymentMethodCreateParams")
def create_method(session: Session, params: Json) -> Json:
    kind = params.get("type", "card")
    if kind == "card":
        record = _card_from(session, params.get("card") or {})
    elif kind in OTHERS:
        details = {**params.get("billing_details", {}), **params.get(kind, {})}
        record = new_other(session, kind, details)
    else:
        raise invalid(
            f"The payment method type {kind} is not activated for this account.", param="type", kept=False
        )
    record["billing_details"] = {**DEFAULTS["billing_details"], **params.get("billing_details", {})}
    merge_metadata(record, params)
    session.save(record)
    return session.render(record)


def _card_from(session: Session, card: Json) -> Json:
    if token := card.get("token"):
        return from_token(session, token)
    if "number" not in card:
        raise missing_param("card[number]")
    record = new_card(session, str(card["number"]).replace(" ", ""))
    record["card"] |= {"exp_month": card.get("exp_month", 12), "exp_year": card.get("exp_year", 2034)}
    return record


def attach(session: Session, key: str, customer: str) -> Json:
    """Attach an existing method, or a fresh copy of a ready-made one such as `pm_card_visa`."""
    owner = session.load("customer", customer, param="customer")
    record = session.find("payment_method", key) or from_token(session, key)
    if record.get("customer") not in (None, customer):
        message = "The payment method you provided has already been attached to a customer."
        raise invalid(message, param="payment_method", code="payment_method_unexpected_state")
    record["customer"] = customer
    if owner.get("clock"):
        record["clock"] = owner["clock"]
    session.save(record)
    session.emit("payment_method.attached", session.render(record))
    return record


@route("POST", "/v1/payment_methods/{payment_method}/attach", "PaymentMethodAttachParams")
def attach_method(session: Session, params: Json, key: str) -> Json:
    if "customer" not in params:
        raise missing_param("customer")
    return session.render(attach(session, key, params["customer"]))


@route("POST", "/v1/payment_methods/{payment_method}/detach", "PaymentMethodDetachParams")
def detach_method(session: Session, params: Json, key: str) -> Json:
    record = session.load("payment_method", key)
    customer = record.get("customer")
    if not customer:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise invalid(message, param="payment_method")
    record["customer"] = None
    session.save(record)
    owner = session.load("customer", customer, param="customer")
    if owner.get("invoice_settings", {}).get("default_payment_method") == key:
        before = session.render(owner)
        owner["invoice_settings"] = {**owner["invoice_settings"], "default_payment_method": None}
        session.changed(owner, before, "customer.updated")
    session.emit("payment_method.detached", session.render(record), {"customer": customer})
    return session.render(record)


@route("POST", "/v1/payment_methods/{payment_method}", "PaymentMethodUpdateParams")
def update_method(session: Session, params: Json, key: str) -> Json:
    record = session.load("payment_method", key)
    before = session.render(record)
    for name in ("exp_month", "exp_year"):
        if name in params.get("card", {}):
            record["card"][name] = params["card"][name]
    if "billing_details" in params:
        record["billing_details"] = {**record.get("billing_details", {}), **params["billing_details"]}
    merge_metadata(record, params)
    return session.changed(record, before, "payment_method.updated")


@route("GET", "/v1/payment_methods/{payment_method}", "PaymentMethodRetrieveParams")
def get_method(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("payment_method", key))


@route("GET", "/v1/payment_methods", "PaymentMethodListParams")
def list_methods(session: Session, params: Json) -> Json:
    return list_of(session, "payment_method", params, "/v1/payment_methods", customer=params.get("customer"))


@route("GET", "/v1/customers/{customer}/payment_methods", "CustomerPaymentMethodListParams")
def list_of_customer(session: Session, params: Json, customer: str) -> Json:
    session.load("customer", customer)
    return list_of(
        session, "payment_method", params, f"/v1/customers/{customer}/payment_methods", customer=customer
    )
