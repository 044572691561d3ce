"""Other people's words for our closed lists. Each reading says whether it lost anything of the original."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

REASONS = (
    "customer_service",
    "low_quality",
    "missing_features",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
    "other",
)
_REASON_WORDS = {
    "customer_service": "support service helpdesk poor_support bad_support",
    "low_quality": "quality bugs bug reliability performance outages unstable slow",
    "missing_features": "features feature functionality missing_feature feature_gap lack_of_features",
    "switched_service": "competitor competition switched switched_to_competitor alternative other_vendor",
    "too_complex": "complexity complex usability hard_to_use difficult confusing",
    "too_expensive": "price pricing cost budget expensive budget_cuts costs",
    "unused": "not_used no_usage low_usage no_need not_needed no_longer_needed usage inactive",
    "other": "unknown misc none_of_these other_reason",
}
_REASON_OF = {word: code for code, words in _REASON_WORDS.items() for word in words.split()} | {
    code: code for code in REASONS
}
_CAUSE_OF = {
    "voluntary": "voluntary",
    "customer": "voluntary",
    "active": "voluntary",
    "cancellation": "voluntary",
    "involuntary": "involuntary",
    "passive": "involuntary",
    "payment": "involuntary",
    "payment_failed": "involuntary",
    "payment_failure": "involuntary",
    "failed_payment": "involuntary",
    "delinquent": "involuntary",
    "unknown": "unknown",
}
_PRIORITY_OF = {
    **dict.fromkeys("low minor p4 4".split(), "low"),
    **dict.fromkeys("normal medium moderate p3 3".split(), "normal"),
    **dict.fromkeys("high major p2 2".split(), "high"),
    **dict.fromkeys("urgent critical blocker p1 1".split(), "urgent"),
}
_STATUS_OF = {
    **{status: status for status in "draft open paid void uncollectible".split()},
    **dict.fromkeys("unpaid overdue past_due pending failed due".split(), "open"),
    **dict.fromkeys("succeeded settled complete completed".split(), "paid"),
    **dict.fromkeys("voided canceled cancelled".split(), "void"),
    **dict.fromkeys("written_off bad_debt".split(), "uncollectible"),
}
_ROLE_OF = {
    **{role: role for role in "admin billing executive champion user".split()},
    **dict.fromkeys("administrator owner".split(), "admin"),
    **dict.fromkeys("finance accounting invoices".split(), "billing"),
    **dict.fromkeys("sponsor executive_sponsor decision_maker cxo ceo cto cfo coo".split(), "executive"),
    **dict.fromkeys("member end_user".split(), "user"),
}
_INTERVAL_WORDS = {
    **dict.fromkeys("month monthly m 1_month".split(), "month"),
    **dict.fromkeys("quarter quarterly q 3_months".split(), "quarter"),
    **dict.fromkeys("year yearly annual annually y 12_months".split(), "year"),
}
_COUNTS = {"one": 1, "a": 1, "two": 2, "three": 3, "four": 4, "five": 5, "half": 6}
_UNIT_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Reading:
    """`value` is ours; where `is_exact` is False the file's own word is worth keeping beside it."""

    value: Any
    is_exact: bool = True


@dataclass(frozen=True)
class Interval:
    """How often it is paid, and the contract's length where that is longer."""

    billing_interval: str
    term_months: int | None = None


def plain(text: str) -> str:
    """Lower case, words joined by underscores."""
    return re.sub(r"[^0-9a-z]+", "_", text.strip().lower()).strip("_")


def read_reason(text: str) -> Reading:
    """One of the eight cancellation reasons; words we do not know are "other"."""
    word = plain(text)
    return Reading(_REASON_OF.get(word, "other"), word in REASONS)


def read_cause(text: str) -> Reading:
    word = plain(text)
    return Reading(_CAUSE_OF.get(word, "unknown"), word in {"voluntary", "involuntary", "unknown"})


def read_priority(text: str) -> Reading:
    word = plain(text)
    return Reading(_PRIORITY_OF.get(word, "normal"), word in _PRIORITY_OF)


def read_status(text: str) -> Reading | None:
    """An invoice status of Stripe's, or None."""
    status = _STATUS_OF.get(plain(text))
    return Reading(status, plain(text) == status) if status else None


def read_role(text: str) -> Reading:
    """A role of ours, or the customer's own word as it is."""
    return Reading(_ROLE_OF.get(plain(text), text.strip()[:60]))


def read_language(text: str) -> Reading | None:
    """ "en" or "ko" from a language tag; None for languages we do not speak."""
    primary = re.split(r"[-_]", text.strip().lower())[0]
    known = {"en": "en", "english": "en", "ko": "ko", "korean": "ko", "한국어": "ko"}.get(primary)
    return Reading(known) if known else None


def read_interval(text: str) -> Reading | None:
    """A billing interval from "monthly", "annual", and contract terms such as "Month-to-month" or "Two year"."""
    word = plain(text)
    if word in _INTERVAL_WORDS:
        return Reading(Interval(_INTERVAL_WORDS[word]))
    if word in {"month_to_month", "pay_as_you_go", "rolling"}:
        return Reading(Interval("month"), is_exact=False)
    match = re.fullmatch(r"([a-z]+|\d+)_(month|quarter|year)(s|ly)?(_contract|_term)?", word)
    count = _COUNTS.get(match[1], int(match[1]) if match[1].isdigit() else 0) if match else 0
    if not match or not 1 <= count <= 60:
        return None
    return Reading(_from_months(count * _UNIT_MONTHS[match[2]]), is_exact=False)


def _from_months(months: int) -> Interval:
    interval = "year" if months % 12 == 0 else "quarter" if months % 3 == 0 else "month"
    return Interval(interval, months if months != _UNIT_MONTHS[interval] else None)
