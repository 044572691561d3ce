"""Reading from Stripe: one object afresh, or lists page by page. Every function raises BillingError."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from accounts.gateways.stripe import parsing, parsing_payments
from accounts.gateways.stripe.client import BillingError, Gateway, unreadable
from accounts.gateways.stripe.facts import (
    AccountFacts,
    ChargeFacts,
    CustomerFacts,
    DiscountFacts,
    EventFacts,
    InvoiceFacts,
    MethodFacts,
    PriceFacts,
    SubscriptionFacts,
)

PAGE = 100
T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, newest first; `cursor` continues behind them and is empty after the last page."""

    rows: tuple[T, ...]
    cursor: str


def read_account(gateway: Gateway) -> AccountFacts:
    found = _one(gateway, "account", lambda data: data)
    profile = found.get("business_profile") or {}
    dashboard = (found.get("settings") or {}).get("dashboard") or {}
    name = dashboard.get("display_name") or profile.get("name") or ""
    return AccountFacts(id=found["id"], name=str(name), country=str(found.get("country") or ""))


def read_customer(gateway: Gateway, customer_id: str) -> CustomerFacts:
    """With its default payment method; a deleted customer, who has nothing to expand, is answered as such."""
    expand = {"expand": ["invoice_settings.default_payment_method"]}
    try:
        return _one(gateway, f"customers/{_id(customer_id)}", parsing.customer, **expand)
    except BillingError as error:
        if error.http_status != 400:
            raise
    return _one(gateway, f"customers/{_id(customer_id)}", parsing.customer)


def read_method(gateway: Gateway, method_id: str) -> MethodFacts:
    return _one(gateway, f"payment_methods/{_id(method_id)}", parsing.method)


def read_price(gateway: Gateway, price_id: str) -> PriceFacts:
    """With its product's name and, where it has them, its tiers."""
    found = _price(gateway, price_id, "product")
    return _price(gateway, price_id, "product", "tiers") if found.is_tiered else found


def _price(gateway: Gateway, price_id: str, *expand: str) -> PriceFacts:
    asked = {"expand": list(expand)}
    return _one(gateway, f"prices/{_id(price_id)}", parsing.price, **asked)


def read_subscription(gateway: Gateway, subscription_id: str) -> SubscriptionFacts:
    """With its payment method, discounts and, where they matter, coupons and tiers."""
    parts = ["customer", "default_payment_method", "discounts.source.coupon", "items.data.discounts"]
    expand = {"expand": parts}
    found = _one(gateway, f"subscriptions/{_id(subscription_id)}", parsing.subscription, **expand)
    return completed(gateway, found)


def completed(gateway: Gateway, found: SubscriptionFacts) -> SubscriptionFacts:
    """Read what the four levels that Stripe expands at once could not hold: tiers, coupons of items."""
    items = []
    for item in found.items:
        if item.price.is_tiered and item.price.tiers is None:
            item = replace(item, price=read_price(gateway, item.price.id))
        items.append(replace(item, discounts=_with_coupons(gateway, item.discounts)))
    return replace(found, items=tuple(items), discounts=_with_coupons(gateway, found.discounts))


def _with_coupons(gateway: Gateway, found: tuple[DiscountFacts, ...]) -> tuple[DiscountFacts, ...]:
    def read(one: DiscountFacts) -> DiscountFacts:
        if one.duration or not one.coupon_id:
            return one
        return replace(_coupon(gateway, one.coupon_id), ends_at=one.ends_at)

    return tuple(read(one) for one in found)


def _coupon(gateway: Gateway, coupon_id: str) -> DiscountFacts:
    """What a coupon takes off; nothing that we could know of one that was deleted."""
    if coupon_id not in gateway.coupons:
        try:
            coupon: Any = _one(gateway, f"coupons/{_id(coupon_id)}", lambda data: data)
        except BillingError as error:
            if not error.is_absent:
                raise
            coupon = coupon_id
        gateway.coupons[coupon_id] = parsing.discount({"source": {"coupon": coupon}})
    found: DiscountFacts = gateway.coupons[coupon_id]
    return found


def read_invoice(gateway: Gateway, invoice_id: str) -> InvoiceFacts:
    """With every payment intent's state and every charge: all that is known of the tries to collect it."""
    expand = {"expand": ["payments.data.payment.payment_intent"]}
    found = _one(gateway, f"invoices/{_id(invoice_id)}", parsing_payments.invoice, **expand)
    return replace(found, charges=read_charges_of(gateway, found))


def read_charges_of(gateway: Gateway, found: InvoiceFacts) -> tuple[ChargeFacts, ...]:
    """Every try to collect this invoice, oldest first."""
    charges: list[ChargeFacts] = []
    for payment in found.payments:
        if payment.intent_id:  # listed newest first, and several may be of one second
            charges += reversed(list(_charges_of_intent(gateway, payment.intent_id)))
        elif payment.charge_id:
            charges.append(read_charge(gateway, payment.charge_id))
    return tuple(sorted(charges, key=lambda one: one.created_at))


def read_charge(gateway: Gateway, charge_id: str) -> ChargeFacts:
    return _one(gateway, f"charges/{_id(charge_id)}", parsing_payments.charge)


def _charges_of_intent(gateway: Gateway, intent_id: str) -> Iterator[ChargeFacts]:
    cursor = ""
    while True:
        page = _page(gateway, "charges", parsing_payments.charge, cursor, payment_intent=intent_id)
        yield from page.rows
        if not (cursor := page.cursor):
            return


def invoice_of_intent(gateway: Gateway, intent_id: str) -> str:
    """The invoice that a payment intent collects; empty for a payment without one."""
    payment = {"type": "payment_intent", "payment_intent": intent_id}
    page = _page(gateway, "invoice_payments", lambda data: str(data["invoice"]), "", payment=payment)
    return page.rows[0] if page.rows else ""


def list_prices(gateway: Gateway, cursor: str, *, product_id: str = "") -> Page[PriceFacts]:
    """All of them, or those of one product."""
    of = {"product": product_id} if product_id else {}
    return _page(gateway, "prices", parsing.price, cursor, expand=["data.product"], **of)


def list_customers(gateway: Gateway, cursor: str) -> Page[CustomerFacts]:
    expand = ["data.invoice_settings.default_payment_method"]
    return _page(gateway, "customers", parsing.customer, cursor, expand=expand)


def list_subscriptions(gateway: Gateway, cursor: str, *, is_brief: bool = False) -> Page[SubscriptionFacts]:
    """All of them, ended ones too. What a list cannot hold is missing (`completed` reads it); brief, also
    methods and discounts."""
    expand = ["data.customer", "data.default_payment_method", "data.discounts.source.coupon"]
    if is_brief:
        expand = []
    return _page(gateway, "subscriptions", parsing.subscription, cursor, status="all", expand=expand)


def list_invoices(gateway: Gateway, cursor: str) -> Page[InvoiceFacts]:
    """With their payments, without charges."""
    return _page(gateway, "invoices", parsing_payments.invoice, cursor, expand=["data.payments"])


def list_invoices_since(gateway: Gateway, cursor: str, since: datetime) -> Page[InvoiceFacts]:
    """Those that were made since then, without payments and charges."""
    return _page(gateway, "invoices", parsing_payments.invoice, cursor, **_since(since))


def list_charges(gateway: Gateway, cursor: str, *, since: datetime | None = None) -> Page[ChargeFacts]:
    return _page(gateway, "charges", parsing_payments.charge, cursor, **_since(since))


def list_events(gateway: Gateway, cursor: str, *, since: datetime) -> Page[Json]:
    """Messages of the last 30 days as they are delivered, newest first."""
    return _page(gateway, "events", lambda data: data, cursor, **_since(since))


def parsed_event(data: Json) -> EventFacts:
    """Raises BillingError for a body that is no message of Stripe's."""
    return _parsed(parsing_payments.event, data)


def _since(moment: datetime | None) -> Json:
    return {"created": {"gte": int(moment.timestamp())}} if moment else {}


def _one(gateway: Gateway, path: str, parse: Callable[[Json], T], **asked: Any) -> T:
    """One object as its JSON came, like a page."""
    found: Json = gateway.call(lambda client: client.raw_request("get", f"/v1/{path}", **asked).data)
    return _parsed(parse, found)


def _id(name: str) -> str:
    return quote(name, safe="")


def _page(gateway: Gateway, name: str, parse: Callable[[Json], T], cursor: str, **asked: Any) -> Page[T]:
    """One page of a list as its JSON came: the SDK's objects cost several times what a page costs otherwise."""
    params = {"limit": PAGE, **asked, **({"starting_after": cursor} if cursor else {})}
    found: Json = gateway.call(lambda client: client.raw_request("get", f"/v1/{name}", **params).data)
    rows = _parsed(lambda data: [dict(one) for one in data["data"]], found)
    after = rows[-1]["id"] if rows and found.get("has_more") else ""
    return Page(tuple(_parsed(parse, row) for row in rows), after)


def _parsed(parse: Callable[[Json], T], data: Json) -> T:
    try:
        return parse(data)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, OSError) as error:
        raise unreadable(error) from None
