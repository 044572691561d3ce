"""Identifiers that look like Stripe's."""

import secrets

PREFIXES = {
    "customer": "cus",
    "product": "prod",
    "price": "price",
    "payment_method": "pm",
    "setup_intent": "seti",
    "checkout.session": "cs_test",
    "subscription": "sub",
    "subscription_item": "si",
    "invoice": "in",
    "line_item": "il",
    "invoice_payment": "inpay",
    "invoiceitem": "ii",
    "payment_intent": "pi",
    "charge": "ch",
    "refund": "re",
    "event": "evt",
    "discount": "di",
    "test_helpers.test_clock": "clock",
    "webhook_endpoint": "we",
    "mandate": "mandate",
}


def random_text(length: int) -> str:
    return secrets.token_hex(length // 2 + 1)[:length]


def new_id(kind: str) -> str:
    length = 14 if kind in ("customer", "product", "subscription_item") else 24
    return f"{PREFIXES[kind]}_{random_text(length)}"
