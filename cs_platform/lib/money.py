"""Money is integer minor units and a currency; this is the one place where it is converted and rounded."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

# ISO 4217: currencies whose smallest unit is not a hundredth.
_ZERO_DECIMAL = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_THREE_DECIMAL = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
MAX_MINOR = 10**15


class NotMoney(ValueError):
    """The text is no amount, or one that no invoice has."""


def minor_places(currency: str) -> int:
    """Decimal places of the currency's minor unit: 2 for USD, 0 for JPY and KRW, 3 for KWD."""
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


def to_minor(amount: Decimal | str | int, currency: str) -> int:
    """Major units to minor units, halves rounded away from zero. Raises NotMoney."""
    try:
        scaled = Decimal(amount).scaleb(minor_places(currency))
        minor = int(scaled.quantize(Decimal(1), ROUND_HALF_UP))
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise NotMoney(str(amount)) from error
    if abs(minor) > MAX_MINOR:
        raise NotMoney(str(amount))
    return minor


def to_major(amount_minor: int, currency: str) -> Decimal:
    """Minor units to major units, with the currency's number of places."""
    return Decimal(amount_minor).scaleb(-minor_places(currency))


def convert(amount_minor: int, currency: str, into: str, rate: Decimal) -> int:
    """Minor units of `currency` in minor units of `into`; `rate` = units of `into` for one major unit."""
    return to_minor(to_major(amount_minor, currency) * rate, into)
