"""API keys: unknown ones get 401; restricted ones 403 that names the missing permission, as Stripe does."""

import base64
import binascii
from typing import Any

from fake_stripe.errors import ApiError
from fake_stripe.world import World

# Resource of the URL: the permission's name in Stripe's "rak_<name>_<read|write>".
PERMISSIONS = {
    "account": "account",
    "accounts": "account",
    "customers": "customer",
    "products": "product",
    "prices": "plan",
    "coupons": "coupon",
    "payment_methods": "payment_method",
    "setup_intents": "setup_intent",
    "checkout": "checkout_session",
    "subscriptions": "subscription",
    "subscription_items": "subscription",
    "invoices": "invoice",
    "invoiceitems": "invoice",
    "invoice_payments": "invoice",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "refunds": "charge",
    "events": "event",
    "webhook_endpoints": "webhook",
    "test_helpers": "billing_clock",
}
# What the product asks for when it connects; the demo's restricted key has exactly these.
ALL: dict[str, str] = dict.fromkeys(PERMISSIONS.values(), "write")


def authenticate(world: World, authorization: str) -> str:
    """The key of a `Bearer` or `Basic` header; raises 401."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            rest = base64.b64decode(rest).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            rest = ""
    key = rest.strip()
    if not key:
        message = (
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
        raise ApiError(401, "invalid_request_error", message, kept=False)
    if key not in world.keys:
        raise ApiError(401, "invalid_request_error", f"Invalid API Key provided: {masked(key)}", kept=False)
    if world.keys[key] == "expired":
        message = f"Expired API Key provided: {masked(key)}"
        raise ApiError(401, "invalid_request_error", message, code="api_key_expired", kept=False)
    return key


def masked(key: str) -> str:
    return key[:8] + "*" * max(0, len(key) - 12) + key[-4:]


def allow(world: World, key: str, method: str, resource: str) -> None:
    """Raises 403 when a restricted key lacks the permission. GET needs read, everything else write."""
    granted: Any = world.keys[key]
    if granted == "all":
        return
    name = PERMISSIONS[resource]
    need = "read" if method == "GET" else "write"
    if granted.get(name) == "write" or granted.get(name) == need:
        return
    message = (
        f"The provided key '{masked(key)}' does not have the required permissions for this endpoint on account "
        f"'{world.account_id}'. Having the 'rak_{name}_{need}' permission would allow this request to continue."
    )
    code = "more_permissions_required_for_application"
    raise ApiError(403, "invalid_request_error", message, code=code, kept=False)
