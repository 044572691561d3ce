"""What the provider says, in our words: plain values, aware instants in UTC, amounts in minor units, currencies
in capitals. Ids are the provider's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class MethodFacts:
    """A card, debit or wallet. `kind` is the provider's name of it; `customer_id` is empty when detached."""

    id: str
    kind: str
    customer_id: str
    created_at: datetime
    brand: str = ""
    last4: str = ""
    exp_month: int | None = None
    exp_year: int | None = None
    country: str = ""
    fingerprint: str = ""
    wallet: str = ""


@dataclass(frozen=True)
class CustomerFacts:
    """A deleted customer has its id and nothing else. `discount` names what is taken off everything it buys."""

    id: str
    is_deleted: bool = False
    created_at: datetime | None = None
    name: str = ""
    email: str = ""
    language: str = ""
    country: str = ""
    currency: str = ""
    default_method_id: str = ""
    default_method: MethodFacts | None = None
    discount: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tier:
    """Up to and including `up_to` units (None: and beyond)."""

    up_to: int | None
    unit_amount: Decimal
    flat_amount: Decimal


@dataclass(frozen=True)
class PriceFacts:
    """`interval` is empty for a price that does not recur. `tiers` is None where they exist but were not read."""

    id: str
    product_id: str
    product_name: str
    nickname: str
    currency: str
    unit_amount: Decimal | None
    interval: str
    interval_count: int
    is_metered: bool
    is_tiered: bool = False
    tiers_mode: str = ""
    tiers: tuple[Tier, ...] | None = None
    divide_by: int = 1
    rounds_up: bool = False


@dataclass(frozen=True)
class DiscountFacts:
    """`duration` once, repeating or forever. `coupon_id` alone where the coupon itself was not read."""

    coupon_id: str
    duration: str = ""
    percent_off: Decimal | None = None
    amount_off: int | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True)
class ItemFacts:
    price: PriceFacts
    quantity: int
    period_start: datetime | None
    period_end: datetime | None
    discounts: tuple[DiscountFacts, ...] = ()


@dataclass(frozen=True)
class SubscriptionFacts:
    """`cancel_at` also when it ends with its period. `discounts` are its own, else its customer's. `reason` and `feedback` are why it ends, in Stripe's words."""

    id: str
    customer_id: str
    status: str
    currency: str
    items: tuple[ItemFacts, ...]
    started_at: datetime
    ended_at: datetime | None = None
    cancel_at: datetime | None = None
    trial_ends_at: datetime | None = None
    period_end: datetime | None = None
    reason: str = ""
    feedback: str = ""
    discounts: tuple[DiscountFacts, ...] = ()
    default_method_id: str = ""
    default_method: MethodFacts | None = None
    collection_method: str = ""
    is_collection_paused: bool = False
    pause_ends_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ChargeFacts:
    """One try to take money. `status` succeeded, failed or pending; `intent_id` ties it to its invoice."""

    id: str
    intent_id: str
    status: str
    amount_minor: int
    refunded_minor: int
    currency: str
    created_at: datetime
    customer_id: str = ""
    decline_code: str = ""
    advice_code: str = ""
    network_code: str = ""
    is_disputed: bool = False
    method_id: str = ""
    method_kind: str = ""
    brand: str = ""
    last4: str = ""
    country: str = ""
    fingerprint: str = ""


@dataclass(frozen=True)
class PaymentFacts:
    """How an invoice is being paid: a payment intent, or a charge without one.

    `intent_status` is Stripe's (requires_payment_method, requires_action, processing, succeeded, canceled);
    empty where the intent itself was not read.
    """

    intent_id: str
    charge_id: str
    status: str
    intent_status: str = ""


@dataclass(frozen=True)
class InvoiceFacts:
    """`charges` is None where they were not read (a page of a list), else every try so far, oldest first."""

    id: str
    customer_id: str
    subscription_id: str
    status: str
    amount_due_minor: int
    amount_paid_minor: int
    amount_remaining_minor: int
    currency: str
    created_at: datetime
    due_at: datetime
    paid_at: datetime | None = None
    number: str = ""
    description: str = ""
    billing_reason: str = ""
    collection_method: str = ""
    is_auto_advance: bool = False
    next_attempt_at: datetime | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    hosted_url: str = ""
    default_method_id: str = ""
    payments: tuple[PaymentFacts, ...] = ()
    charges: tuple[ChargeFacts, ...] | None = None


@dataclass(frozen=True)
class EventFacts:
    """A message: `object` is the thing it speaks of, as it was then; act on the thing as it is now."""

    id: str
    type: str
    created_at: datetime
    object_type: str
    object_id: str
    object: Mapping[str, Any]
    is_live: bool


@dataclass(frozen=True)
class AccountFacts:
    """The company behind a key. `name` is empty where the key may not read it."""

    id: str
    name: str
    country: str
