"""Invoice items: single amounts that wait for the next manual invoice."""

from fake_stripe.errors import missing_param
from fake_stripe.lists import list_of
from fake_stripe.objects.customers import merge_metadata
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

DEFAULTS: Json = {
    "customer_account": None,
    "description": None,
    "discountable": True,
    "discounts": [],
    "invoice": None,
    "livemode": False,
    "metadata": {},
    "net_amount": 0,
    "parent": None,
    "pricing": None,
    "proration": False,
    "proration_details": None,
    "quantity": 1,
    "tax_rates": [],
    "test_clock": None,
}


@shape("invoiceitem")
def item_shape(session: Session, record: Json) -> Json:
    shown = public(record, DEFAULTS)
    del shown["status"]
    moment = shown.pop("created")
    return {**shown, "date": moment, "period": {"start": moment, "end": moment}, "quantity_decimal": "1"}


@route("POST", "/v1/invoiceitems", "InvoiceItemCreateParams")
def create_item(session: Session, params: Json) -> Json:
    if not params.get("customer"):
        raise missing_param("customer")
    customer = session.load("customer", params["customer"], param="customer")
    record = session.new(
        "invoiceitem",
        customer=customer["id"],
        amount=params.get("amount", 0),
        currency=params.get("currency", "usd"),
        description=params.get("description"),
        status="pending",
        test_clock=session.clock,
    )
    record["net_amount"] = record["amount"]
    merge_metadata(record, params)
    return session.created(record, "invoiceitem.created")


@route("GET", "/v1/invoiceitems", "InvoiceItemListParams")
def list_items(session: Session, params: Json) -> Json:
    return list_of(session, "invoiceitem", params, "/v1/invoiceitems")
