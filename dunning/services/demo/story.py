"""What happened to a failed payment of the demo's past, from the first refusal to the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Invoice, PaymentAttempt
from dunning.cases import steps as s
from dunning.cases.steps import Detail
from dunning.policy.classes import DeclineClass, NoticeRule
from dunning.policy.definition import PolicyDefinition
from dunning.policy.judging import Refusal

BRANDS = (
    ("visa", "4242"),
    ("mastercard", "4444"),
    ("visa", "1881"),
    ("mastercard", "5556"),
    ("visa", "8210"),
    ("amex", "0005"),
)
SOON = timedelta(minutes=3)
SILENT_TRIES = 3  # the first one and two retries
MIDDLE_NOTICES = ((2, timedelta(days=4)), (3, timedelta(days=10)))
LAST_NOTICE = timedelta(days=3)
Story = Iterator[tuple[datetime, Detail]]


@dataclass(frozen=True)
class Past:
    """A failed payment that is over: its tries in order, and when it was paid without one; `number` makes each story
    another one."""

    invoice: Invoice
    tries: Sequence[PaymentAttempt]
    paid_elsewhere_at: datetime | None
    policy: PolicyDefinition
    number: int

    @property
    def first(self) -> PaymentAttempt:
        return self.tries[0]

    @property
    def paid(self) -> PaymentAttempt | None:
        return self.tries[-1] if self.tries[-1].status == "succeeded" else None

    @property
    def country(self) -> str:
        """Of the card; a few people pay with a card of another country."""
        return "US" if self.number % 9 == 4 else str(self.invoice.account.country[:2])

    @property
    def new_card(self) -> tuple[str, str]:
        return BRANDS[(self.number + 1) % len(BRANDS)]

    def class_of(self, attempt: PaymentAttempt) -> str:
        return str(self.policy.judge(Refusal(attempt.decline_code)).decline_class)

    @property
    def is_told_at_once(self) -> bool:
        return self.policy.judge(Refusal(self.first.decline_code)).rule.notice is NoticeRule.AT_ONCE

    @property
    def told_at(self) -> datetime | None:
        """When the notices began: at once, or when the silent retries were used up."""
        if self.is_told_at_once:
            return self.first.attempted_at + timedelta(hours=1)
        failed = [one for one in self.tries if one.status == "failed"]
        return (
            failed[SILENT_TRIES - 1].attempted_at + timedelta(hours=2)
            if len(failed) >= SILENT_TRIES
            else None
        )

    @property
    def has_new_card(self) -> bool:
        """Whether the customer entered another card: always after a refusal for good, else as a rule."""
        if self.told_at is None or self.is_confirmed:
            return False
        return self.is_told_at_once or self.number % 5 != 0

    @property
    def is_confirmed(self) -> bool:
        return self.class_of(self.first) == DeclineClass.AUTH

    @property
    def ends_at(self) -> datetime:
        last = max(self.tries[-1].attempted_at, self.paid_elsewhere_at or self.first.attempted_at)
        return max(self.first.attempted_at + self.policy.duration - timedelta(hours=12), last + SOON)

    @property
    def left_at(self) -> datetime | None:
        """When the customer ended the subscription with this bill unpaid."""
        subscription = self.invoice.subscription
        if self.invoice.status != "open" or subscription is None:
            return None
        ended: datetime | None = subscription.ended_at
        if ended is None or ended > timezone.now():
            return None
        return max(ended, self.tries[-1].attempted_at + timedelta(hours=1))

    @property
    def end_state(self) -> str:
        subscription = self.invoice.subscription
        was_let_go = subscription is not None and subscription.ended_cause == "involuntary"
        return "cancel" if was_let_go else "leave_past_due"


def story(past: Past, *, is_held_out: bool) -> list[tuple[datetime, Detail]]:
    """All of it in order of time."""
    told = [*_tries(past), *_notices(past, is_held_out), *_people(past), *_end(past)]
    return sorted(told, key=lambda one: one[0])


def _tries(past: Past) -> Story:
    for before, attempt in zip(past.tries, past.tries[1:], strict=False):
        at = attempt.attempted_at
        if attempt is past.paid and (past.has_new_card or past.is_confirmed):
            yield from _paid_by_customer(past, attempt)
            continue
        yield before.attempted_at + 2 * SOON, _planned(past, before, attempt)
        yield at, s.RetryBegun(number=attempt.number)
        yield at + timedelta(seconds=2), _outcome(past, attempt)


def _planned(past: Past, before: PaymentAttempt, attempt: PaymentAttempt) -> s.RetryPlanned:
    waited = attempt.attempted_at - before.attempted_at
    if past.class_of(past.first) == DeclineClass.SOFT_TECHNICAL:
        hours = max(round(waited / timedelta(hours=1)), 1)
        return s.RetryPlanned(at=attempt.attempted_at, reason="technical", data={"hours": hours})
    return s.RetryPlanned(at=attempt.attempted_at, reason="spaced", data={"days": max(waited.days, 1)})


def _paid_by_customer(past: Past, attempt: PaymentAttempt) -> Story:
    at = attempt.attempted_at
    if past.is_confirmed:
        yield at - SOON, s.ConfirmationDone()
    else:
        brand, last4 = past.new_card
        yield at - SOON, s.CardUpdated(made_by="person", brand=brand, last4=last4)
    yield at - timedelta(seconds=5), s.RetryBegun(number=attempt.number, made_by="person")
    yield at, _success(past, attempt, "person")


def _notices(past: Past, is_held_out: bool) -> Story:
    """The first and the last go to everybody, the middle ones not to those who are held out."""
    if past.told_at is None:
        return
    if past.is_told_at_once:
        yield past.first.attempted_at + 2 * SOON, _not_planned(past)
        if past.is_confirmed:
            yield past.first.attempted_at + 3 * SOON, s.ConfirmationAsked()
    yield past.told_at, s.NoticeBegun(reason="hard" if past.is_told_at_once else "silent_over")
    yield past.told_at + SOON, s.NoticeSent(number=1)
    for number, wait in () if is_held_out else MIDDLE_NOTICES:
        yield past.told_at + wait, s.NoticeSent(number=number)
    yield past.ends_at - LAST_NOTICE, s.NoticeSent(number=4)


def _not_planned(past: Past) -> s.RetryNotPlanned:
    if past.is_confirmed:
        return s.RetryNotPlanned(reason="waits_for_confirmation")
    if past.class_of(past.first) == DeclineClass.CARD_DATA:
        return s.RetryNotPlanned(reason="waits_for_card")
    if past.class_of(past.first) == DeclineClass.NOT_THIS_PURCHASE:
        return s.RetryNotPlanned(reason="waits_for_other_method")
    return s.RetryNotPlanned(reason="hard_decline", data={"code": past.first.decline_code})


def _people(past: Past) -> Story:
    """A CSM takes over where a call is worth it: every third of those who were told and did not react in five days."""
    if past.told_at is not None and past.number % 3 == 0:
        yield past.told_at + timedelta(days=5), s.HandedOver(reason="rule")


def _end(past: Past) -> Story:
    if past.paid_elsewhere_at is not None:
        yield (
            past.paid_elsewhere_at,
            s.PaidElsewhere(amount_minor=past.invoice.amount_minor, currency=past.invoice.currency),
        )
    elif past.left_at is not None:
        yield past.left_at, s.SubscriptionCanceled(is_voluntary=True)
    elif past.paid is None and past.end_state != "cancel" and past.number % 7 == 3:
        yield (
            past.ends_at - timedelta(days=6),
            s.Note(text="The bill was a mistake of ours: their seats were gone."),
        )
        yield past.ends_at - timedelta(days=6), s.Closed(state="canceled", reason="by_hand")
    elif past.paid is None:
        yield past.ends_at, s.EndStateApplied(end_state=past.end_state)


def _outcome(past: Past, attempt: PaymentAttempt) -> Detail:
    if attempt.status == "succeeded":
        return _success(past, attempt, "platform")
    return s.RetryFailed(
        number=attempt.number,
        made_by="platform",
        decline_code=attempt.decline_code,
        decline_class=past.class_of(attempt),
    )


def _success(past: Past, attempt: PaymentAttempt, made_by: str) -> s.RetrySucceeded:
    return s.RetrySucceeded(
        number=attempt.number,
        amount_minor=past.invoice.amount_minor,
        currency=past.invoice.currency,
        made_by=made_by,
    )
