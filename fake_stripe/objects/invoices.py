"""Invoices and invoice items: create, read, list, finalize, pay, void, give up, preview."""

from typing import Any

from fake_stripe.billing import invoicing, renewals
from fake_stripe.billing.paying import mark_paid, method_for, pay_invoice
from fake_stripe.errors import invalid, missing, missing_param
from fake_stripe.ids import new_id
from fake_stripe.lists import as_list, list_of
from fake_stripe.objects.customers import merge_metadata
from fake_stripe.objects.discounts import redeem
from fake_stripe.objects.invoice_shape import line_shape
from fake_stripe.params import given
from fake_stripe.routes import route
from fake_stripe.session import Session
from fake_stripe.wire import Json

NO_METHOD = (
    "There is no `default_payment_method` set on this Customer or Invoice. Please set a default payment method "
    "or pass an explicit `payment_method`."
)


@route("POST", "/v1/invoices", "InvoiceCreateParams")
def create_invoice(session: Session, params: Json) -> Json:
    if not params.get("customer"):
        raise missing_param("customer")
    customer = session.load("customer", params["customer"], param="customer")
    waiting = session.store.find("invoiceitem", customer=customer["id"], status="pending")
    if params.get("pending_invoice_items_behavior") == "exclude":
        waiting = []
    for item in waiting:
        session.save({**item, "status": "invoiced"})
    subscription = None
    if key := params.get("subscription"):
        subscription = session.load("subscription", key, param="subscription")
    discounts = [
        redeem(session, one, customer=customer["id"], subscription=None)["id"]
        for one in params.get("discounts") or []
    ]
    fields = given(params, ("description", "default_payment_method", "footer"))
    record = invoicing.make_invoice(
        session,
        customer,
        [_line_of_item(item) for item in waiting],
        reason="manual",
        subscription=subscription,
        discounts=discounts,
        auto_advance=params.get("auto_advance", False),
        collection_method=params.get("collection_method", "charge_automatically"),
        days_until_due=params.get("days_until_due"),
        currency=params.get("currency") or (waiting[0]["currency"] if waiting else None),
        metadata=params.get("metadata") or {},
        due=session.now + session.world.settings["finalize_after_seconds"]
        if params.get("auto_advance")
        else None,
        **fields,
    )
    return session.render(record)


def _line_of_item(item: Json) -> Json:
    parent: Json = {"type": "invoice_item_details", "subscription_item_details": None}
    details: Json = {"invoice_item": item["id"], "proration": False, "subscription": None}
    parent["invoice_item_details"] = {**details, "proration_details": {"credited_items": None}}
    return {
        "id": new_id("line_item"),
        "amount": item["amount"],
        "description": item.get("description"),
        "parent": parent,
        "period": {"start": item["created"], "end": item["created"]},
        "pricing": None,
        "quantity": 1,
    }


@route("POST", "/v1/invoices/create_preview", "InvoiceCreatePreviewParams")
def preview_invoice(session: Session, params: Json) -> Json:
    key = params.get("subscription")
    if not key and params.get("customer"):
        found = session.store.find("subscription", customer=params["customer"], status="active")
        key = found[0]["id"] if found else None
    if not key:
        raise missing_param("subscription")
    return renewals.preview(session, session.load("subscription", key, param="subscription"))


@route("POST", "/v1/invoices/{invoice}/finalize", "InvoiceFinalizeInvoiceParams")
def finalize_invoice(session: Session, params: Json, key: str) -> Json:
    record = session.load("invoice", key)
    if "auto_advance" in params:
        record["auto_advance"] = params["auto_advance"]
    return session.render(invoicing.finalize(session, record))


@route("POST", "/v1/invoices/{invoice}/pay", "InvoicePayParams")
def pay(session: Session, params: Json, key: str) -> Json:
    record = session.load("invoice", key)
    if record["status"] == "draft":
        record = invoicing.finalize(session, record)
        if record["status"] == "paid":
            return session.render(record)
    if record["status"] == "paid":
        raise invalid("Invoice is already paid")
    if record["status"] == "void":
        raise invalid("Invoice is voided and cannot be paid.")
    if params.get("paid_out_of_band"):
        return mark_paid(session, record, amount=record["amount_due"], off_stripe=True)
    if wanted := params.get("payment_method") or params.get("source"):
        method = session.load("payment_method", wanted, param="payment_method")
        if method.get("customer") != record["customer"]:
            raise missing("PaymentMethod", wanted, param="payment_method", status=400)
    else:
        method = method_for(session, record) or {}
    if not method:
        raise invalid(NO_METHOD, param="payment_method", code="resource_missing")
    return session.render(pay_invoice(session, record, method, off_session=params.get("off_session", True)))


@route("POST", "/v1/invoices/{invoice}/void", "InvoiceVoidInvoiceParams")
def void_invoice(session: Session, params: Json, key: str) -> Json:
    return invoicing.close(session, session.load("invoice", key), "void")


@route("POST", "/v1/invoices/{invoice}/mark_uncollectible", "InvoiceMarkUncollectibleParams")
def give_up(session: Session, params: Json, key: str) -> Json:
    return invoicing.close(session, session.load("invoice", key), "uncollectible")


@route("POST", "/v1/invoices/{invoice}", "InvoiceUpdateParams")
def update_invoice(session: Session, params: Json, key: str) -> Json:
    record = session.load("invoice", key)
    before = session.render(record)
    for name in ("auto_advance", "default_payment_method", "description", "footer", "due_date"):
        if name in params:
            record[name] = params[name] if params[name] != "" else None
    if params.get("auto_advance") is False:
        record |= {"next_payment_attempt": None, "due": None}
    merge_metadata(record, params)
    return session.changed(record, before, "invoice.updated")


@route("DELETE", "/v1/invoices/{invoice}", "InvoiceDeleteParams")
def delete_invoice(session: Session, params: Json, key: str) -> Json:
    record = session.load("invoice", key)
    if record["status"] != "draft":
        raise invalid("You can only delete draft invoices.")
    rendered = session.render(record)
    session.save({**record, "deleted": True, "due": None, "status": "deleted"})
    session.emit("invoice.deleted", rendered)
    return {"id": key, "object": "invoice", "deleted": True}


@route("GET", "/v1/invoices/{invoice}", "InvoiceRetrieveParams")
def get_invoice(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("invoice", key))


@route("GET", "/v1/invoices/{invoice}/lines", "InvoiceLineItemListParams")
def list_lines(session: Session, params: Json, key: str) -> Json:
    record = session.load("invoice", key)
    lines = [line_shape(record, line) for line in record["_lines"]]
    return as_list(lines, f"/v1/invoices/{key}/lines")


@route("GET", "/v1/invoices", "InvoiceListParams")
def list_invoices(session: Session, params: Json) -> Json:
    tests, values = ["json_extract(body, '$.deleted') IS NULL"], list[Any]()
    if method := params.get("collection_method"):
        tests.append("ifnull(json_extract(body, '$.collection_method'), 'charge_automatically') = ?")
        values.append(method)
    return list_of(session, "invoice", params, "/v1/invoices", extra=(" AND ".join(tests), tuple(values)))
