"""Recurring revenue of a subscription: quantity times unit price of every licensed item, brought to a month,
less the discounts that recur. Pure; amounts in minor units, rounded once at the end."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from accounts.gateways.stripe.facts import DiscountFacts, ItemFacts, PriceFacts, SubscriptionFacts, Tier
from accounts.models import BillingInterval

# Months of one unit of each interval; days and weeks by the average year of 365.25 days.
_MONTHS = {
    "day": Decimal(12) / Decimal("365.25"),
    "week": Decimal(84) / Decimal("365.25"),
    "month": Decimal(1),
    "year": Decimal(12),
}
# Nothing recurs in these states: not begun, on trial, or stopped.
_WITHOUT_REVENUE = {"trialing", "incomplete", "incomplete_expired", "paused"}


def mrr_minor(found: SubscriptionFacts, now: datetime) -> int:
    """Monthly recurring revenue in minor units of the subscription's currency, never below zero.

    Metered items count nothing: what will be used is not known. Discounts that apply once count nothing;
    those that end count until they end. A subscription whose collection is paused keeps its revenue
    (Stripe calls it active); one that is paused itself has none.
    """
    if found.status in _WITHOUT_REVENUE:
        return 0
    total = sum((_monthly_item(item, now) for item in found.items), Decimal(0))
    span = next((months_of(item.price) for item in found.items if item.price.interval), Decimal(1))
    return max(int(_discounted(total, found.discounts, span, now).quantize(Decimal(1), ROUND_HALF_UP)), 0)


def months_of(price: PriceFacts) -> Decimal:
    """Length of the price's interval in months."""
    return _MONTHS.get(price.interval, Decimal(1)) * price.interval_count


def main_item(found: SubscriptionFacts, now: datetime) -> ItemFacts | None:
    """The item that names the plan: the one with the largest revenue, the first among equals."""
    return max(found.items, key=lambda item: _monthly_item(item, now), default=None)


def interval_of(price: PriceFacts) -> tuple[BillingInterval, int | None]:
    """Our billing interval and, where that does not say it, the length of the term in months."""
    months = months_of(price)
    known = {1: BillingInterval.MONTH, 3: BillingInterval.QUARTER, 12: BillingInterval.YEAR}
    if months in known:
        return known[int(months)], None
    nearest = BillingInterval.YEAR if months > 12 else BillingInterval.MONTH
    return nearest, int(months) if months == int(months) and months > 1 else None


def list_mrr_minor(price: PriceFacts) -> int | None:
    """Monthly list price of one unit; None for tiers, usage and what does not recur."""
    if price.unit_amount is None or not price.interval or price.is_metered:
        return None
    return int((price.unit_amount / months_of(price)).quantize(Decimal(1), ROUND_HALF_UP))


def discount_ends_at(found: SubscriptionFacts, now: datetime) -> datetime | None:
    """When the next recurring discount ends and the price rises; None while none does."""
    every = [*found.discounts, *(one for item in found.items for one in item.discounts)]
    return min((one.ends_at for one in every if _counts(one, now) and one.ends_at), default=None)


def _monthly_item(item: ItemFacts, now: datetime) -> Decimal:
    price = item.price
    if not price.interval or price.is_metered:
        return Decimal(0)
    monthly = _amount(price, item.quantity) / months_of(price)
    return _discounted(monthly, item.discounts, months_of(price), now)


def _amount(price: PriceFacts, quantity: int) -> Decimal:
    """What one interval costs, in minor units."""
    if price.is_tiered:
        return _tiered(price.tiers or (), quantity, is_volume=price.tiers_mode == "volume")
    packs, rest = divmod(quantity, price.divide_by)
    return (price.unit_amount or Decimal(0)) * (packs + (1 if rest and price.rounds_up else 0))


def _tiered(tiers: tuple[Tier, ...], quantity: int, *, is_volume: bool) -> Decimal:
    """Volume: the reached tier prices every unit. Graduated: each tier prices the units within it."""
    total, below = Decimal(0), 0
    for tier in tiers:
        is_last = tier.up_to is None or quantity <= tier.up_to
        if is_volume:
            if is_last:
                return tier.unit_amount * quantity + tier.flat_amount
            continue
        upper = quantity if tier.up_to is None else min(quantity, tier.up_to)
        if upper > below or (quantity == 0 and below == 0):
            total += tier.unit_amount * (upper - below) + tier.flat_amount
        below = upper
        if is_last:
            break
    return total


def _discounted(
    monthly: Decimal, discounts: tuple[DiscountFacts, ...], span: Decimal, now: datetime
) -> Decimal:
    """Percentages and amounts in the order in which they stand; an amount is taken off once an interval."""
    for one in discounts:
        if not _counts(one, now):
            continue
        if one.percent_off is not None:
            monthly -= monthly * one.percent_off / 100
        elif one.amount_off is not None:
            monthly -= Decimal(one.amount_off) / span
    return max(monthly, Decimal(0))


def _counts(one: DiscountFacts, now: datetime) -> bool:
    return one.duration in ("forever", "repeating") and (one.ends_at is None or one.ends_at > now)
