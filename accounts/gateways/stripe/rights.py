"""What a key may do, found out without touching anything: lists of one row, and changes of things that do not exist.

Stripe answers 403 for a missing right before it looks for the object, else 404.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from accounts.gateways.stripe.client import BillingError, Gateway, open_client
from accounts.gateways.stripe.facts import AccountFacts
from accounts.gateways.stripe.reading import read_account

_NOTHING = "check_of_rights"


@dataclass(frozen=True)
class Right:
    """`resource` and `level` as Stripe's form for restricted keys names them; `name` is kept in the database."""

    name: str
    resource: str
    level: str
    probe: Callable[[Any], Any]


def _list(name: str) -> Callable[[Any], Any]:
    return lambda v1: getattr(v1, name).list({"limit": 1})


RIGHTS = (
    Right("customer_write", "Customers", "Write", lambda v1: v1.customers.update(f"cus_{_NOTHING}", {})),
    Right("subscription_write", "Subscriptions", "Write", lambda v1: v1.subscriptions.update(f"sub_{_NOTHING}", {})),
    Right("invoice_write", "Invoices", "Write", lambda v1: v1.invoices.update(f"in_{_NOTHING}", {})),
    Right(
        "checkout_session_write",
        "Checkout Sessions",
        "Write",
        lambda v1: v1.checkout.sessions.expire(f"cs_test_{_NOTHING}"),
    ),
    Right("charge_read", "Charges and Refunds", "Read", _list("charges")),
    Right("payment_intent_read", "PaymentIntents", "Read", _list("payment_intents")),
    Right(
        "payment_method_read",
        "Payment Methods",
        "Read",
        lambda v1: v1.payment_methods.retrieve(f"pm_{_NOTHING}"),
    ),
    Right("setup_intent_read", "SetupIntents", "Read", _list("setup_intents")),
    Right("product_read", "Products", "Read", _list("products")),
    Right("plan_read", "Prices", "Read", _list("prices")),
    Right("coupon_read", "Coupons", "Read", _list("coupons")),
    Right("event_read", "Events", "Read", _list("events")),
)  # fmt: skip
BY_NAME = {right.name: right for right in RIGHTS}
WAITS_FOR = "no_right:"  # before the right's name in an order's `error_code` while it waits for it


def right_words(name: str) -> str:
    """As the form for restricted keys has it: "Invoices: Write"."""
    right = BY_NAME.get(name)
    return f"{right.resource}: {right.level}" if right else name.replace("_", " ")


@dataclass(frozen=True)
class KeyCheck:
    """What a key is good for. `account` is None where the key may not read whose it is."""

    is_live: bool
    missing: tuple[str, ...]
    account: AccountFacts | None


def check_key(api_key: str) -> KeyCheck:
    """Ask for every right once. Raises BillingError when the key itself is refused or nobody answers."""
    gateway = Gateway(client=open_client(api_key, read_seconds=8.0), workspace_id=0)
    missing = tuple(right.name for right in RIGHTS if not _has(gateway, right))
    try:
        account = read_account(gateway)
    except BillingError as error:
        if error.http_status != 403:
            raise
        account = None
    return KeyCheck(is_live="_live_" in api_key, missing=missing, account=account)


def still_missing(gateway: Gateway, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the rights that the key still lacks; what we cannot try counts as missing. Raises like `check_key`."""
    return tuple(name for name in names if name not in BY_NAME or not _has(gateway, BY_NAME[name]))


def _has(gateway: Gateway, right: Right) -> bool:
    """Any answer but 401, 403 and none at all says that the key may."""
    try:
        gateway.call(lambda client: right.probe(client.v1))
    except BillingError as error:
        if error.http_status == 403:
            return False
        if error.is_refused_key or not error.permanent:
            raise
    return True
