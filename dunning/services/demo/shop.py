"""Customers of the demo at the fake Stripe: who they are, what they pay, and how their cards answer."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from accounts.gateways.stripe.client import open_client
from cs_platform.lib.periods import add_months

KEY = "sk_test_fake"
REAL = "https://api.stripe.com"
PATIENCE_SECONDS = 20.0
GOOD: tuple[str, ...] = ("ok",)
Bought = tuple[str, str]  # ids of customer and subscription
CARDS = ("pm_card_visa", "pm_card_mastercard", "pm_card_amex")


@dataclass(frozen=True)
class Buyer:
    """An account that pays by card: `began_at` its subscription's start, `renewed_at` the last monthly renewal."""

    account: str
    name: str
    email: str
    language: str
    country: str
    product: str
    seats: int
    seat_minor: int
    currency: str
    began_at: datetime
    renewed_at: datetime
    paid_from: datetime
    answers: Sequence[str] = GOOD


class NoShop(RuntimeError):
    """Nothing answers at the address of the payment provider."""


def is_fake() -> bool:
    """Whether the address of the settings is a machine of ours: the demo never talks to the real one."""
    return settings.STRIPE_API_BASE.startswith("http://127.0.0.1:") and settings.STRIPE_API_BASE != REAL


def control(name: str, **given: Any) -> dict[str, Any]:
    """One command to the fake itself."""
    request = urllib.request.Request(
        f"{settings.STRIPE_API_BASE}/_fake/{name}",
        data=json.dumps(given).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # our own address  # nosec B310
        found: dict[str, Any] = json.load(answer)
        return found


def wait_for_shop() -> None:
    """The fake starts beside the platform. Raises NoShop when it does not come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            control("settings")
        except urllib.error.HTTPError:
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise NoShop(settings.STRIPE_API_BASE) from error
            time.sleep(0.2)
        else:
            return


def build_shop(buyers: Sequence[Buyer], *, now: datetime) -> dict[str, Bought]:
    """Let the buyers buy, each on its own day, and let the time run to now; what came of it by account.

    Payments that fail on the way fail by the fake's own doing.
    """
    stripe = open_client(KEY, read_seconds=30.0).v1
    control("reset")
    control("settings", business_name="Tidemark Software", finalize_after_seconds=60)
    prices: dict[tuple[str, int, str], str] = {}
    made: dict[str, Bought] = {}
    for number, buyer in enumerate(sorted(buyers, key=lambda one: one.paid_from)):
        control("clock", now=int(buyer.paid_from.timestamp()))
        key = (buyer.product, buyer.seat_minor, buyer.currency)
        if key not in prices:
            prices[key] = _price(stripe, buyer)
        made[buyer.account] = _buy(stripe, buyer, prices[key], CARDS[number % len(CARDS)])
    control("clock", now=int(now.timestamp()))
    control("clock", release=True)
    return made


def _price(stripe: Any, buyer: Buyer) -> str:
    product = stripe.products.create({"name": buyer.product})
    price = stripe.prices.create(
        {
            "product": product.id,
            "unit_amount": buyer.seat_minor,
            "currency": buyer.currency.lower(),
            "recurring": {"interval": "month"},
        }
    )
    return str(price.id)


def _buy(stripe: Any, buyer: Buyer, price: str, token: str) -> Bought:
    customer = stripe.customers.create(
        {
            "name": buyer.name,
            "email": buyer.email,
            "preferred_locales": [buyer.language],
            "address": {"country": buyer.country},
            "metadata": {"account": buyer.account},
        }
    )
    method = stripe.payment_methods.attach(token, {"customer": customer.id})
    stripe.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
    control("outcomes", payment_method=method.id, plan=["ok", *buyer.answers])
    subscription = stripe.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price, "quantity": buyer.seats}],
            "backdate_start_date": int(buyer.began_at.timestamp()),
        }
    )
    return str(customer.id), str(subscription.id)


def anniversaries(began_at: datetime, now: datetime) -> tuple[datetime, datetime] | None:
    """The last two monthly renewals before now; None for who began later than two months ago."""
    months = (now.year - began_at.year) * 12 + now.month - began_at.month
    if _months_on(began_at, months) > now:
        months -= 1
    return None if months < 2 else (_months_on(began_at, months - 1), _months_on(began_at, months))


def _months_on(moment: datetime, count: int) -> datetime:
    """As Stripe counts: the same day, or the month's last one."""
    first = add_months(moment.date().replace(day=1), count)
    day = min(moment.day, monthrange(first.year, first.month)[1])
    return moment.replace(year=first.year, month=first.month, day=day)
