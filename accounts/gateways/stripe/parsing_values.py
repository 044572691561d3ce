"""The small values of Stripe's objects."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Json = dict[str, Any]


def id_of(value: Any) -> str:
    """The id of an object, whether it was expanded or not."""
    return text(value.get("id")) if isinstance(value, dict) else text(value)


def text(value: Any) -> str:
    return "" if value is None else str(value)


def currency(value: Any) -> str:
    return text(value).upper()


# Stripe counts some currencies in other units than ISO 4217: króna and shilling in hundredths that do not exist, the
# ariary whole. As its documentation of currencies says ("special cases", "zero-decimal"; read 2026-11).
_OURS_PER_STRIPES = {"ISK": Decimal("0.01"), "UGX": Decimal("0.01"), "MGA": Decimal(100)}


def exact(amount: Any, code: Any) -> Decimal:
    """An amount of Stripe's, perhaps with a fraction, in minor units of its currency."""
    return Decimal(str(amount)) * _OURS_PER_STRIPES.get(currency(code), Decimal(1))


def minor(amount: Any, code: Any) -> int:
    """The same, whole; Stripe charges no smaller units."""
    return int(exact(amount, code).to_integral_value(ROUND_HALF_UP))


def when(seconds: Any) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def instant(seconds: Any) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def card_details(details: Json) -> dict[str, str]:
    """What cards, debits and wallets have in common, where they have it."""
    return {
        "brand": text(details.get("brand") or details.get("bank_name")).lower(),
        "last4": text(details.get("last4"))[-4:],
        "country": text(details.get("country")),
        "fingerprint": text(details.get("fingerprint")),
    }
