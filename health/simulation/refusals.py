"""Why banks refuse, in Stripe's words, and how likely a further try is to pass after each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from health.simulation.lanes import Bools, Floats, Ints

RETRY_OFFSETS = (1, 3, 7, 14, 20)  # days after the first try; on the first of them only technical errors
GIVE_UP_AFTER = 28
# Shares of the charges that fail on an ordinary day, and of the customers whose bill was given up that leave by it;
# the others pay the next one with another card.
FAILS_BY_CARD, FAILS_BY_TRANSFER = 0.055, 0.012
LEAVES_UNPAID = 0.25
# The processor broke down on these days of the story (day indexes).
OUTAGE_DAYS, FAILS_IN_OUTAGE = (318, 319), 0.8
_BY_TRANSFER = 0.43


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decline code, its share of all first refusals, and the probability that it is over by the next day in
    RETRY_OFFSETS: by a retry, or (`is_person`) because somebody did something; nobody retries these."""

    code: str
    share: float
    passes: float
    is_technical: bool = False
    is_person: bool = False


REFUSALS = (
    Refusal("insufficient_funds", 0.36, 0.24),
    Refusal("generic_decline", 0.13, 0.20),
    Refusal("expired_card", 0.13, 0.20, is_person=True),
    Refusal("do_not_honor", 0.09, 0.19),
    Refusal("authentication_required", 0.07, 0.25, is_person=True),
    Refusal("processing_error", 0.05, 0.55, is_technical=True),
    Refusal("issuer_not_available", 0.02, 0.55, is_technical=True),
    Refusal("card_velocity_exceeded", 0.04, 0.26),
    Refusal("incorrect_cvc", 0.02, 0.20, is_person=True),
    Refusal("lost_card", 0.04, 0.13, is_person=True),
    Refusal("stolen_card", 0.02, 0.13, is_person=True),
    Refusal("transaction_not_allowed", 0.01, 0.10, is_person=True),
    Refusal("card_not_supported", 0.02, 0.10, is_person=True),
)
_CODES = np.array([one.code for one in REFUSALS])
_ENDS = np.cumsum([one.share for one in REFUSALS])
_PASSES = np.array([one.passes for one in REFUSALS])
_TECHNICAL = np.array([one.is_technical for one in REFUSALS])
_PERSON = np.array([one.is_person for one in REFUSALS])
_OUTAGE = float(_ENDS[list(_CODES).index("processing_error")]) - 0.01


def refusal_code(place: float) -> str:
    """The code at a place in [0, 1) of all refusals, laid side by side by their shares."""
    return REFUSALS[int(_at(np.array([place]))[0])].code


def draw_refusals(rolls: Floats, by_card: Bools, day: int) -> tuple[Bools, Floats]:
    """Which charges of a day fail, and at what place of all refusals; `rolls` are uniform in [0, 1)."""
    usual = np.where(by_card, FAILS_BY_CARD, FAILS_BY_TRANSFER)
    places = np.where(rolls < usual, rolls / usual, _OUTAGE)
    fails = rolls < usual
    if day in OUTAGE_DAYS:
        fails = fails | (by_card & (rolls < FAILS_IN_OUTAGE))
    return fails, places


def may_pass(waited: Ints, places: Floats, by_card: Bools) -> Bools:
    """Whose bill may be paid so many days after the first try."""
    early = by_card & _TECHNICAL[_at(places)]
    found: Bools = np.isin(waited, RETRY_OFFSETS[1:]) | (early & (waited == RETRY_OFFSETS[0]))
    return found


def retried(places: Floats, by_card: Bools) -> Bools:
    """Whose card is tried again without anybody's doing."""
    found: Bools = by_card & ~_PERSON[_at(places)]
    return found


def chances(places: Floats, by_card: Bools) -> Floats:
    """Probability that it is over on such a day."""
    return np.where(by_card, _PASSES[_at(places)], _BY_TRANSFER)


def _at(places: Floats) -> Ints:
    found: Ints = np.searchsorted(_ENDS[:-1], places, side="right")
    return found
