"""Customers."""

from fake_stripe.errors import missing
from fake_stripe.expand import includable
from fake_stripe.ids import random_text
from fake_stripe.lists import as_list, list_of
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

DEFAULTS: Json = {
    "address": None,
    "balance": 0,
    "currency": None,
    "default_source": None,
    "delinquent": False,
    "description": None,
    "discount": None,
    "email": None,
    "invoice_prefix": "",
    "invoice_settings": {
        "custom_fields": None,
        "default_payment_method": None,
        "footer": None,
        "rendering_options": None,
    },
    "livemode": False,
    "metadata": {},
    "name": None,
    "next_invoice_sequence": 1,
    "phone": None,
    "preferred_locales": [],
    "shipping": None,
    "tax_exempt": "none",
    "test_clock": None,
}
PLAIN = (
    "address",
    "description",
    "email",
    "name",
    "phone",
    "preferred_locales",
    "shipping",
    "tax_exempt",
    "balance",
)


@shape("customer")
def customer_shape(session: Session, record: Json) -> Json:
    if record.get("deleted"):
        return {"id": record["id"], "object": "customer", "deleted": True}
    shown = public(record, DEFAULTS)
    if shown["discount"]:
        shown["discount"] = session.render(session.load("discount", shown["discount"]))
    return shown


@includable("customer", "subscriptions")
def customer_subscriptions(session: Session, rendered: Json) -> Json:
    found = session.store.find("subscription", customer=rendered["id"])
    open_ones = [one for one in reversed(found) if one["status"] != "canceled"]
    url = f"/v1/customers/{rendered['id']}/subscriptions"
    return as_list([session.render(one) for one in open_ones], url)


@route("POST", "/v1/customers", "CustomerCreateParams")
def create_customer(session: Session, params: Json) -> Json:
    clock = params.get("test_clock")
    if clock:
        session.load("test_helpers.test_clock", clock, param="test_clock")
        session.at(clock)
    record = session.new(
        "customer", invoice_prefix=random_text(8).upper(), metadata=params.get("metadata", {})
    )
    record["test_clock"] = clock
    apply(session, record, params)
    if method := params.get("payment_method"):
        from fake_stripe.objects.payment_methods import attach

        session.save(record)
        attached = attach(session, method, record["id"])
        if _names(params) == method:
            record["invoice_settings"]["default_payment_method"] = attached["id"]
    return session.created(record, "customer.created")


def _names(params: Json) -> str | None:
    name: str | None = params.get("invoice_settings", {}).get("default_payment_method")
    return name


def apply(session: Session, record: Json, params: Json) -> None:
    """Plain fields, metadata by key, invoice settings; an empty string unsets."""
    for name in PLAIN:
        if name in params:
            record[name] = params[name] if params[name] != "" else DEFAULTS[name]
    merge_metadata(record, params)
    settings = {**DEFAULTS["invoice_settings"], **record.get("invoice_settings", {})}
    for name, value in params.get("invoice_settings", {}).items():
        settings[name] = value or None
    record["invoice_settings"] = settings


def merge_metadata(record: Json, params: Json) -> None:
    """Stripe's rule: given keys are set, empty values remove a key, an empty string removes all."""
    if "metadata" not in params:
        return
    given = params["metadata"]
    merged = {**record.get("metadata", {}), **given} if given else {}
    record["metadata"] = {key: value for key, value in merged.items() if value != ""}


@route("POST", "/v1/customers/{customer}", "CustomerUpdateParams")
def update_customer(session: Session, params: Json, key: str) -> Json:
    record = session.load("customer", key)
    before = session.render(record)
    default = _names(params)
    if default:
        method = session.load("payment_method", default, param="invoice_settings[default_payment_method]")
        if method.get("customer") != key:
            raise missing(
                "payment_method", default, param="invoice_settings[default_payment_method]", status=400
            )
    apply(session, record, params)
    if "default_source" in params:
        record["default_source"] = params["default_source"]
    return session.changed(record, before, "customer.updated")


@route("GET", "/v1/customers/{customer}", "CustomerRetrieveParams")
def get_customer(session: Session, params: Json, key: str) -> Json:
    record = session.find("customer", key)
    if record is None:
        raise missing("customer", key)
    return session.render(record)


@route("GET", "/v1/customers", "CustomerListParams")
def list_customers(session: Session, params: Json) -> Json:
    extra, values = "json_extract(body, '$.deleted') IS NULL", ()
    if email := params.get("email"):
        extra, values = extra + " AND json_extract(body, '$.email') = ?", (email,)  # type: ignore[assignment]
    where = {"clock": params.get("test_clock")}
    return list_of(session, "customer", params, "/v1/customers", extra=(extra, values), **where)


@route("DELETE", "/v1/customers/{customer}/discount", "CustomerDeleteDiscountParams")
def delete_customer_discount(session: Session, params: Json, key: str) -> Json:
    from fake_stripe.objects.discounts import put_on_customer

    put_on_customer(session, session.load("customer", key), None)
    return {"deleted": True, "object": "discount"}


@route("DELETE", "/v1/customers/{customer}", "CustomerDeleteParams")
def delete_customer(session: Session, params: Json, key: str) -> Json:
    from fake_stripe.billing.ending import end_subscription

    record = session.load("customer", key)
    for subscription in session.store.find("subscription", customer=key):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            end_subscription(session, subscription, reason="cancellation_requested")
    rendered = session.render(record)
    session.save({**record, "deleted": True})
    session.emit("customer.deleted", rendered)
    return {"id": key, "object": "customer", "deleted": True}


def set_delinquent(session: Session, key: str, value: bool) -> None:
    """Stripe's flag on the customer: the latest charge for an invoice failed."""
    record = session.load("customer", key, param="customer")
    if bool(record.get("delinquent")) is not value:
        before = session.render(record)
        record["delinquent"] = value
        session.changed(record, before, "customer.updated")
