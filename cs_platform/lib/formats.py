"""Money, numbers and dates as texts of the reader's language."""

import math
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TypeGuard
from unicodedata import bidirectional

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, gettext, ngettext

from cs_platform.lib.money import minor_places, to_major

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "KRW": "₩", "JPY": "¥"}
DASH = "–"
MINUS = "−"

Number = int | float | Decimal


def is_number(value: object) -> TypeGuard[Number]:
    """True for a real number: neither a boolean nor NaN."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and not math.isnan(value)


def _grouped(value: Decimal, digits: int) -> str:
    return _in_language(value, digits, get_language() or "")


@lru_cache(
    maxsize=4096
)  # a page says the same numbers over and over, and each costs the look-up of four formats
def _in_language(value: Decimal, digits: int, language: str) -> str:
    """`language` is the running one, by which the formats are looked up."""
    return number_format(value, decimal_pos=digits, use_l10n=True, force_grouping=True)


def number(value: object, digits: int = 0) -> str:
    """Number with grouping and a fixed count of decimals; a dash for nothing."""
    if not is_number(value):
        return DASH
    rounded = round(Decimal(str(value)), digits)
    return (MINUS if rounded < 0 else "") + _grouped(abs(rounded), digits)


def percent(share: object, digits: int = 0) -> str:
    """Share 0..1 as a percentage."""
    return number(float(share) * 100, digits) + "%" if is_number(share) else DASH


def _steps() -> list[tuple[Decimal, str]]:
    if (get_language() or "").startswith("ko"):
        return [(Decimal(10**8), "억"), (Decimal(10**4), "만")]
    return [(Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(10**3), "k")]


def _compact(value: Decimal) -> str:
    """About three figures and a step word: 12.3k, 4.5M; in Korean 1.2만, 3.4억."""
    for size, word in _steps():
        if value >= size:
            scaled = value / size
            digits = 0 if scaled >= 100 else 1
            return _grouped(round(scaled, digits), digits) + word
    return _grouped(value.quantize(Decimal(1), ROUND_HALF_UP), 0)


def number_short(value: object) -> str:
    """Number rounded to what a glance needs."""
    if not is_number(value):
        return DASH
    exact = Decimal(str(value))
    return (MINUS if exact < 0 else "") + _compact(abs(exact))


def _with_currency(text: str, currency: str, negative: bool) -> str:
    symbol = SYMBOLS.get(currency) or (f"{currency}\u00a0" if currency else "")
    return f"{MINUS if negative else ''}{symbol}{text}"


def money(amount_minor: object, currency: str = "USD") -> str:
    """Amount in minor units; cents only where there are any."""
    if not is_number(amount_minor):
        return DASH
    major = to_major(int(amount_minor), currency)
    places = 0 if major == major.to_integral_value() else minor_places(currency)
    return _with_currency(_grouped(abs(major), places), currency, major < 0)


def money_short(amount_minor: object, currency: str = "USD") -> str:
    """Amount in minor units, rounded to what a glance needs: $12.3k."""
    if not is_number(amount_minor):
        return DASH
    major = to_major(int(amount_minor), currency)
    return _with_currency(_compact(abs(major)), currency, major < 0)


_TURNING = frozenset({"R", "AL", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI"})
_CONTROLS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])


def isolated(text: object) -> str:
    """A name inside a sentence: one that is written from right to left, or turns the direction, keeps it to itself.

    Other names are returned as they are. The marks around it are Unicode's first strong isolate (UAX 9).
    """
    plain = str(text)
    if plain.isascii() or not any(bidirectional(letter) in _TURNING for letter in plain):
        return plain
    return f"\u2068{plain.translate(_CONTROLS)}\u2069"


def _past(count: int, unit: str) -> str:
    match unit:
        case "minute":
            text = ngettext("%(count)d minute ago", "%(count)d minutes ago", count)
        case "hour":
            text = ngettext("%(count)d hour ago", "%(count)d hours ago", count)
        case "day":
            text = ngettext("%(count)d day ago", "%(count)d days ago", count)
        case "month":
            text = ngettext("%(count)d month ago", "%(count)d months ago", count)
        case _:
            text = ngettext("%(count)d year ago", "%(count)d years ago", count)
    return text % {"count": count}


def _future(count: int, unit: str) -> str:
    match unit:
        case "minute":
            text = ngettext("in %(count)d minute", "in %(count)d minutes", count)
        case "hour":
            text = ngettext("in %(count)d hour", "in %(count)d hours", count)
        case "day":
            text = ngettext("in %(count)d day", "in %(count)d days", count)
        case "month":
            text = ngettext("in %(count)d month", "in %(count)d months", count)
        case _:
            text = ngettext("in %(count)d year", "in %(count)d years", count)
    return text % {"count": count}


def _days_apart(days: int) -> str:
    match days:
        case 0:
            return gettext("today")
        case -1:
            return gettext("yesterday")
        case 1:
            return gettext("tomorrow")
    size, speak = abs(days), _past if days < 0 else _future
    if size < 60:
        return speak(size, "day")
    return speak(size // 30, "month") if size < 730 else speak(size // 365, "year")


def _moments_apart(moment: datetime, local: datetime, now: datetime) -> str:
    """`local` is the moment in the reader's zone: only days are counted by its date."""
    seconds = int((moment - now).total_seconds())
    size, speak = abs(seconds), _past if seconds < 0 else _future
    if size < 60:
        return gettext("just now") if seconds <= 0 else gettext("in a moment")
    if size < 3600:
        return speak(size // 60, "minute")
    if size < 22 * 3600:
        return speak(size // 3600, "hour")
    return _days_apart((local.date() - timezone.localtime(now).date()).days)


def relative(value: date | datetime, now: datetime) -> tuple[str, str]:
    """How far a date or an aware moment is from `now` in words, and the absolute text."""
    language = get_language() or ""
    if isinstance(value, datetime):
        local = timezone.localtime(value)
        # Without its zone: two moments that are the same are not told apart by the zone they are written in.
        absolute = _date_in_language(local.replace(tzinfo=None), "DATETIME_FORMAT", language)
        return _moments_apart(value, local, now), absolute
    days = (value - timezone.localtime(now).date()).days
    return _days_apart(days), _date_in_language(value, "DATE_FORMAT", language)


@lru_cache(maxsize=4096)
def _date_in_language(value: date | datetime, kind: str, language: str) -> str:
    """`language` is the running one."""
    return date_format(value, kind)
