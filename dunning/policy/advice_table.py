"""What goes before the table of codes: Stripe's advice and the card networks' own, with source and date, as words.

What acts is `judging.py` and the constants of `code_table.py`; these rows are made from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dunning.policy.classes import CLASS_WORDS, DeclineClass
from dunning.policy.code_table import (
    ADVICE_CARD,
    ADVICE_LATER,
    ADVICE_STOP,
    CARD_CAPS,
    MASTERCARD_CARD_DATA,
    MASTERCARD_STOP,
    MASTERCARD_WAIT_HOURS,
    ONE_ATTEMPT_COUNTRIES,
    TABLE_DATE,
    VISA_STOP,
)
from dunning.policy.definition import CAP_ATTEMPTS, CAP_DAYS

STRIPE = _("Stripe's advice with a charge")
MASTERCARD = _("Mastercard's advice codes, as acquirers publish them (Checkout.com, TabaPay, Braintree)")
VISA = _(
    "Visa Core Rules of 2026-04-18, table 7-2, as acquirers publish it; the union of three lists that differ"
)
LIMITS = _("Limits of Visa and Mastercard, as acquirers publish them; the lowest of them holds")
INDIA = _("Stripe's limits for cards of India")
STRIPE_LINK = "https://docs.stripe.com/declines"


@dataclass(frozen=True, slots=True)
class AdviceRow:
    """One rule that no policy changes. `codes` as they are sent; `acts` in words."""

    who: str
    codes: str
    acts: str
    source: Promise
    link: str = ""
    checked_on: date = TABLE_DATE


def advice_rows() -> list[AdviceRow]:
    """All of them, strongest first, in the language that is active."""
    hard, card = CLASS_WORDS[DeclineClass.HARD_NETWORK], CLASS_WORDS[DeclineClass.CARD_DATA]
    unknown = CLASS_WORDS[DeclineClass.SOFT_UNKNOWN]
    taken = gettext("taken as “%(class)s”")
    as_hard, as_card = taken % {"class": hard}, taken % {"class": card}
    later = gettext(
        "retried: a kind without retries is taken as “%(class)s”, unless it is for good or waits for a person"
    )
    return [
        AdviceRow("Mastercard", _codes(MASTERCARD_STOP), as_hard, MASTERCARD),
        AdviceRow("Visa", _codes(VISA_STOP), as_hard, VISA),
        AdviceRow("Stripe", ADVICE_STOP, as_hard, STRIPE, STRIPE_LINK),
        AdviceRow("Mastercard", _codes(MASTERCARD_CARD_DATA), as_card, MASTERCARD),
        AdviceRow("Stripe", ADVICE_CARD, as_card, STRIPE, STRIPE_LINK),
        _waits(),
        AdviceRow("Stripe", ADVICE_LATER, later % {"class": unknown}, STRIPE, STRIPE_LINK),
        *_caps(),
    ]


def _codes(codes: frozenset[str]) -> str:
    return ", ".join(sorted(codes))


def _waits() -> AdviceRow:
    pairs = sorted(MASTERCARD_WAIT_HOURS.items(), key=lambda pair: (pair[1], pair[0]))
    hours = ", ".join(str(n) for _code, n in pairs)
    words = gettext("retried after %(hours)s hours, in this order") % {"hours": hours}
    return AdviceRow("Mastercard", ", ".join(code for code, _n in pairs), words, MASTERCARD)


def _caps() -> Iterator[AdviceRow]:
    words = gettext("%(limit)d tries of one card in %(days)d days at most")
    for brand, limit in CARD_CAPS.items():
        yield AdviceRow(brand.title(), "–", words % {"limit": limit, "days": CAP_DAYS}, LIMITS)
    everybody = gettext(
        "%(limit)d tries of an invoice in %(days)d days, one of ours a day, none after a refusal for good"
    )
    told = everybody % {"limit": CAP_ATTEMPTS, "days": CAP_DAYS}
    yield AdviceRow(gettext("All"), "–", told, LIMITS)
    countries = ", ".join(sorted(ONE_ATTEMPT_COUNTRIES))
    yield AdviceRow(countries, "–", gettext("one try of a card, no retry"), INDIA)
