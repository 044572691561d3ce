"""The small values of Stripe's objects."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]


def id_of(value: Any) -> str:
    """The id of an object, whether it was expanded or not."""
    return text(value.get("id")) if isinstance(value, dict) else text(value)


def text(value: Any) -> str:
    return "" if value is None else str(value)


def currency(value: Any) -> str:
    return text(value).upper()


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
