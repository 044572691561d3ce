"""How an invoice and its lines look; new ones are made in `invoices.py`."""

from typing import Any

from fake_stripe.expand import includable
from fake_stripe.lists import as_list
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

DEFAULTS: Json = {
    "account_country": "US",
    "account_name": "Example Software",
    "account_tax_ids": None,
    "amount_overpaid": 0,
    "amount_paid": 0,
    "amount_paid_off_stripe": 0,
    "amount_shipping": 0,
    "application": None,
    "attempt_count": 0,
    "attempted": False,
    "auto_advance": True,
    "automatic_tax": {
        "disabled_reason": None,
        "enabled": False,
        "liability": None,
        "provider": None,
        "status": None,
    },
    "automatically_finalizes_at": None,
    "collection_method": "charge_automatically",
    "custom_fields": None,
    "customer_account": None,
    "customer_address": None,
    "customer_email": None,
    "customer_name": None,
    "customer_phone": None,
    "customer_shipping": None,
    "customer_tax_exempt": "none",
    "customer_tax_ids": [],
    "default_payment_method": None,
    "default_source": None,
    "default_tax_rates": [],
    "description": None,
    "discounts": [],
    "due_date": None,
    "effective_at": None,
    "ending_balance": None,
    "footer": None,
    "from_invoice": None,
    "hosted_invoice_url": None,
    "invoice_pdf": None,
    "issuer": {"type": "self"},
    "last_finalization_error": None,
    "latest_revision": None,
    "livemode": False,
    "metadata": {},
    "next_payment_attempt": None,
    "number": None,
    "on_behalf_of": None,
    "parent": None,
    "payment_settings": {
        "default_mandate": None,
        "payment_method_options": None,
        "payment_method_types": None,
    },
    "post_payment_credit_notes_amount": 0,
    "pre_payment_credit_notes_amount": 0,
    "receipt_number": None,
    "rendering": None,
    "shipping_cost": None,
    "shipping_details": None,
    "starting_balance": 0,
    "statement_descriptor": None,
    "status_transitions": {
        "finalized_at": None,
        "marked_uncollectible_at": None,
        "paid_at": None,
        "voided_at": None,
    },
    "test_clock": None,
    "total_pretax_credit_amounts": [],
    "total_taxes": [],
    "webhooks_delivered_at": None,
}


@shape("invoice")
def invoice_shape(session: Session, record: Json) -> Json:
    if record.get("deleted"):
        return {"id": record["id"], "object": "invoice", "deleted": True}
    shown = public(record, DEFAULTS)
    for inner in ("subscription", "payment_intent"):
        shown.pop(inner, None)
    paid = record.get("amount_paid", 0)
    total = record["total"]
    return {
        **shown,
        "amount_remaining": max(0, record["amount_due"] - paid),
        "subtotal_excluding_tax": record["subtotal"],
        "total_excluding_tax": total,
        "lines": as_list(
            [line_shape(record, line) for line in record["_lines"]], f"/v1/invoices/{record['id']}/lines"
        ),
    }


def line_shape(invoice: Json, line: Json) -> Json:
    return {
        "object": "line_item",
        "currency": invoice["currency"],
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity_decimal": str(line.get("quantity", 1)),
        "subscription": invoice.get("subscription"),
        "subtotal": line["amount"],
        "taxes": [],
        **line,
    }


@includable("invoice", "payments")
def invoice_payments(session: Session, rendered: Json) -> Json:
    found = session.store.find("invoice_payment", invoice=rendered["id"])
    url = "/v1/invoice_payments"
    return as_list([session.render(one) for one in found], url)


@includable("invoice", "confirmation_secret")
def confirmation_secret(session: Session, rendered: Json) -> Any:
    for payment in session.store.find("invoice_payment", invoice=rendered["id"], status="open"):
        intent = session.store.load("payment_intent", payment["payment_intent"])
        if intent:
            return {"client_secret": intent["client_secret"], "type": "payment_intent"}
    return None
