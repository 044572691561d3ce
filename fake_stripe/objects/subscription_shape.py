"""How a subscription and its items look."""

from typing import Any

from fake_stripe.lists import as_list
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

DEFAULTS: Json = {
    "application": None,
    "application_fee_percent": None,
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_cycle_anchor_config": None,
    "billing_mode": {"flexible": None, "type": "flexible"},
    "billing_schedules": [],
    "billing_thresholds": None,
    "cancel_at": None,
    "cancel_at_period_end": False,
    "canceled_at": None,
    "cancellation_details": {"comment": None, "feedback": None, "reason": None},
    "collection_method": "charge_automatically",
    "customer_account": None,
    "days_until_due": None,
    "default_payment_method": None,
    "default_source": None,
    "default_tax_rates": [],
    "description": None,
    "discounts": [],
    "ended_at": None,
    "invoice_settings": {
        "account_tax_ids": None,
        "custom_fields": None,
        "description": None,
        "footer": None,
        "issuer": {"type": "self"},
    },
    "latest_invoice": None,
    "livemode": False,
    "managed_payments": {"enabled": False},
    "metadata": {},
    "next_pending_invoice_item_invoice": None,
    "on_behalf_of": None,
    "pause_collection": None,
    "payment_settings": {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": "off",
    },
    "pending_invoice_item_interval": None,
    "pending_setup_intent": None,
    "pending_update": None,
    "schedule": None,
    "status_details": None,
    "test_clock": None,
    "transfer_data": None,
    "trial_end": None,
    "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    "trial_start": None,
}


@shape("subscription")
def subscription_shape(session: Session, record: Json) -> Json:
    shown = public(record, DEFAULTS)
    items = [item_shape(session, record, item) for item in record["items"]]
    url = f"/v1/subscription_items?subscription={record['id']}"
    return {**shown, "items": as_list(items, url)}


def item_shape(session: Session, subscription: Json, item: Json) -> Json:
    price = session.store.load("price", item["price"])
    rendered = session.render(price) if price else None
    return {
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "discounts": [],
        "metadata": {},
        "subscription": subscription["id"],
        "tax_rates": [],
        **item,
        "price": rendered,
        "plan": _plan(rendered) if rendered else None,
    }


def _plan(price: Json) -> Json:
    """The legacy view of a price, which Stripe still sends along."""
    recurring = price["recurring"] or {}
    same = (
        "active",
        "billing_scheme",
        "created",
        "currency",
        "id",
        "livemode",
        "metadata",
        "nickname",
        "product",
    )
    plan: dict[str, Any] = {name: price[name] for name in same}
    return plan | {
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": recurring.get("interval"),
        "interval_count": recurring.get("interval_count"),
        "meter": None,
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": recurring.get("usage_type"),
    }
