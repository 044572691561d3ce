"""One room per kind of object: its shape, its verbs, its routes."""

from importlib import import_module

ROOMS = (
    "accounts",
    "catalogue",
    "charges",
    "checkout",
    "customers",
    "discounts",
    "events",
    "invoice_items",
    "invoice_payments",
    "invoice_shape",
    "invoices",
    "payment_intents",
    "payment_methods",
    "refunds",
    "setup",
    "subscription_changes",
    "subscription_making",
    "subscription_shape",
    "subscriptions",
    "test_clocks",
    "webhook_endpoints",
)


def load_all() -> None:
    """Import every room, which registers its shapes and routes. Fixed paths come before those with an id."""
    for room in ROOMS:
        import_module(f"fake_stripe.objects.{room}")
