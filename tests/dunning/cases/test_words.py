"""Every step and every reason has words, in both languages, and no format is left open."""

from datetime import UTC, datetime

import pytest
from django.utils.translation import override

from dunning.cases import steps as s
from dunning.cases.steps import Step, StepKind
from dunning.cases.words import (
    CLOSING_WORDS,
    PHASE_WORDS,
    STEP_TITLES,
    closing_words,
    decline_words,
    reason_words,
    step_words,
)
from dunning.policy.reasons import Why, WhyNot

AT = datetime(2026, 11, 3, 9, tzinfo=UTC)
DATA = {
    "hours": 4,
    "day": "2026-11-15",
    "days": 14,
    "used": 8,
    "limit": 8,
    "code": "lost_card",
    "country": "IN",
}
EXAMPLES = [
    s.Opened(
        amount_minor=4_900,
        currency="USD",
        failed_at=AT,
        ends_at=AT,
        decline_code="lost_card",
        decline_class="hard_network",
    ),
    s.RetryPlanned(at=AT, reason="pay_day", data=DATA),
    s.RetryNotPlanned(reason="budget_used", until=AT, data=DATA),
    s.RetryBegun(number=2),
    s.RetryFailed(number=2, decline_code="odd_code"),
    s.RetrySucceeded(number=2, amount_minor=4_900, currency="USD"),
    s.RetryUnknown(number=2),
    s.RetrySettledByReading(number=2, outcome="never_made"),
    s.Leaving(leaves_at=AT),
    s.Staying(),
    s.HandedOver(reason="leaving"),
    s.NoticeSent(number=1, name="first"),
    s.NoticeSent(number=4, name="last"),
    s.NoticeBegun(reason="hard"),
    s.NoticeSent(number=1, name="First reminder"),
    s.CardUpdated(brand="visa", last4="4242"),
    s.ConfirmationAsked(),
    s.ConfirmationDone(has_passed=False),
    s.QuestionAsked(),
    s.HandedOver(arr_minor=1_200_000, currency="USD"),
    s.TakenBack(),
    s.Stopped(),
    s.Resumed(ends_at=AT),
    s.ManualRetry(),
    s.Note(text="Called them."),
    s.PaidElsewhere(amount_minor=100, currency="EUR"),
    s.Voided(),
    s.SubscriptionCanceled(),
    s.EndStateApplied(end_state="pause", is_marked_uncollectible=True),
    s.Closed(state="canceled"),
]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_step_has_a_sentence(language):
    assert {detail.KIND for detail in EXAMPLES} == set(StepKind) == set(STEP_TITLES)
    with override(language):
        texts = [step_words(Step(AT, detail), person="Ben") for detail in EXAMPLES]
    assert all(text.startswith("Ben: ") and "%(" not in text for text in texts)
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("code", [*Why, *WhyNot])
def test_every_reason_has_words_with_and_without_its_figures(code, language):
    with override(language):
        assert reason_words(code, DATA) != str(code).replace("_", " ")
        assert reason_words(code) not in ("", str(code).replace("_", " "))
        assert "%(" not in reason_words(code, DATA)


def test_a_sentence_reads_well():
    with override("en"):
        assert step_words(Step(AT, s.RetryNotPlanned(reason="budget_used", data=DATA))) == (
            "Not retried: 8 of 8 tries in 14 days are used."
        )
        assert decline_words("lost_card", "hard_network") == (
            "Reported lost; tell the customer only to use another card (Refused for good)"
        )
    with override("ko"):
        assert (
            step_words(Step(AT, s.RetrySucceeded(amount_minor=4_900, currency="USD")))
            == "$49 결제되었습니다."
        )


def test_what_nobody_translated_is_still_said():
    assert closing_words("written_off") == "written off"
    assert set(CLOSING_WORDS) >= {"paid", "cancel", "pause", "leave_past_due"}
    assert len(PHASE_WORDS) == 8
