"""Codes of "why now" and "why not retried"; their words are in `dunning.cases.words`."""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """Why a retry is made when it is made."""

    NEW_CARD = "new_card"
    TECHNICAL = "technical"
    NETWORK_WAIT = "network_wait"
    PAY_DAY = "pay_day"
    SPACED = "spaced"
    LATE_TRY = "late_try"
    AFTER_CHECK = "after_check"
    BY_HAND = "by_hand"


class WhyNot(StrEnum):
    """Why none is."""

    NOTHING_FAILED = "nothing_failed"
    PAID = "paid"
    OUTCOME_UNKNOWN = "outcome_unknown"
    CASE_OVER = "case_over"
    STRIPE_RETRIES = "stripe_retries"
    HARD_DECLINE = "hard_decline"
    WAITS_FOR_CONFIRMATION = "waits_for_confirmation"
    WAITS_FOR_CARD = "waits_for_card"
    WAITS_FOR_OTHER_METHOD = "waits_for_other_method"
    CHECK_FIRST = "check_first"
    TEST_CODE = "test_code"
    SWITCHED_OFF = "switched_off"
    ONE_ATTEMPT = "one_attempt"
    CLASS_LIMIT = "class_limit"
    BUDGET_USED = "budget_used"
    NETWORK_CAP = "network_cap"
    CARD_CAP = "card_cap"
    ENDS_FIRST = "ends_first"
    NO_SLOT = "no_slot"
    NOT_AUTOMATIC = "not_automatic"
    LEAVES_BEFORE = "leaves_before"
