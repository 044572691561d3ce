"""Cases of the demo's past: what the simulator tells of each charge, as a case would have seen it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import Invoice, MadeBy, PaymentAttempt
from dunning.cases import steps as s
from dunning.cases.steps import Detail
from dunning.cases.transitions import IllegalStep
from dunning.models import DunningCase, DunningPolicyVersion
from dunning.policy.definition import PolicyDefinition
from dunning.policy.judging import Refusal
from dunning.services.case_steps import begin_book
from dunning.services.cases import payer_of
from dunning.services.policies import definition_of, version_in_force

BRANDS = (("visa", "4242"), ("mastercard", "4444"), ("visa", "1881"), ("amex", "0005"))
SOON = timedelta(minutes=3)
SILENT_TRIES = 2
NEEDS_PERSON = {"authentication_required", "expired_card", "lost_card"}
Story = Iterator[tuple[datetime, Detail]]


@dataclass(frozen=True)
class Past:
    """A failed payment that is over: its tries in order, `number` tells such payments apart."""

    invoice: Invoice
    tries: Sequence[PaymentAttempt]
    policy: PolicyDefinition
    number: int

    @property
    def code(self) -> str:
        return str(self.tries[0].decline_code)

    @property
    def failed(self) -> list[PaymentAttempt]:
        return [one for one in self.tries if one.status == "failed"]

    def class_of(self, attempt: PaymentAttempt) -> str:
        return str(self.policy.judge(Refusal(attempt.decline_code, "", "", "", "")).decline_class)

    @property
    def ends_at(self) -> datetime:
        last = self.tries[-1].attempted_at
        return max(self.tries[0].attempted_at + self.policy.duration, last + timedelta(days=1))


def write_past_cases(*, now: datetime) -> int:
    """A case for each failed payment that the simulator brought to its end; returns how many."""
    version = version_in_force()
    policy, made = definition_of(version), 0
    invoices = Invoice.objects.filter(
        status__in=("paid", "uncollectible"), attempts__status="failed", provider=""
    )
    known = set(DunningCase.objects.values_list("invoice_id", flat=True))
    rows = invoices.distinct().select_related("account", "subscription").prefetch_related("attempts")
    for number, invoice in enumerate(rows.order_by("due_at", "pk")):
        tries = sorted(invoice.attempts.all(), key=lambda one: one.number)
        if invoice.pk in known or tries[0].status != "failed":
            continue
        _dress(tries, number, invoice.account.country)
        made += _write(Past(invoice, tries, policy, number), version, now)
    return made


def _dress(tries: Sequence[PaymentAttempt], number: int, country: str) -> None:
    """The simulator knows no cards."""
    brand, last4 = BRANDS[number % len(BRANDS)]
    for one in tries:
        one.brand, one.last4, one.method_kind, one.country = brand, last4, "card", country[:2]
        one.made_by = MadeBy.PROVIDER if one.number == 1 else MadeBy.PLATFORM
    PaymentAttempt.objects.bulk_update(tries, ["brand", "last4", "method_kind", "country", "made_by"])


def _write(past: Past, version: DunningPolicyVersion, now: datetime) -> int:
    """Through the reducer, step by step at the time of each; a story that it refuses is left out."""
    first = past.tries[0]
    case = DunningCase(
        invoice=past.invoice,
        account=past.invoice.account,
        policy_version=version,
        contact=payer_of(past.invoice),
    )
    opened = s.Opened(
        amount_minor=past.invoice.amount_minor,
        currency=past.invoice.currency,
        failed_at=first.attempted_at,
        ends_at=past.ends_at,
        decline_code=first.decline_code,
        decline_class=past.class_of(first),
    )
    book = begin_book(case, opened, at=first.attempted_at + SOON)
    try:
        for at, detail in _story(past):
            if at > now or not book.state.is_open:
                break
            book.record(detail, at=at)
    except IllegalStep:
        return 0
    if book.state.is_open:
        return 0
    with transaction.atomic():
        book.write()
    return 1


def _story(past: Past) -> Story:
    if past.code in NEEDS_PERSON:
        yield from _told_at_once(past)
    else:
        yield from _tried_again(past)
    if past.tries[-1].status == "failed":
        yield past.ends_at, s.EndStateApplied(end_state="cancel")


def _tried_again(past: Past) -> Story:
    """Silent retries first; then notices, and with every fourth of these a call."""
    noticed_at: datetime | None = None
    for before, attempt in zip(past.tries, past.tries[1:], strict=False):
        days = max((attempt.attempted_at - before.attempted_at).days, 1)
        if noticed_at is None and before.number > SILENT_TRIES:
            noticed_at = before.attempted_at + timedelta(hours=2)
            yield noticed_at, s.NoticeBegun(reason="silent_over")
            yield noticed_at + SOON, s.NoticeSent(number=1)
            if past.number % 4 == 0:
                yield noticed_at + timedelta(days=1), s.HandedOver(reason="rule")
        if noticed_at and attempt.status == "succeeded":
            yield from _new_card(past, attempt, attempt.number)
            return
        yield (
            before.attempted_at + 2 * SOON,
            s.RetryPlanned(at=attempt.attempted_at, reason="spaced", data={"days": days}),
        )
        yield attempt.attempted_at, s.RetryBegun(number=attempt.number)
        yield attempt.attempted_at + timedelta(seconds=2), _outcome(past, attempt)


def _told_at_once(past: Past) -> Story:
    """No retry helps before the person did something."""
    first, last = past.tries[0].attempted_at, past.tries[-1]
    yield (
        first + 2 * SOON,
        s.RetryNotPlanned(
            reason="waits_for_confirmation" if past.code == "authentication_required" else "hard_decline",
            data={} if past.code == "authentication_required" else {"code": past.code},
        ),
    )
    yield first + timedelta(hours=1), s.NoticeBegun(reason="hard")
    yield first + timedelta(hours=1) + SOON, s.NoticeSent(number=1)
    if last.attempted_at - first > timedelta(days=6):
        yield first + timedelta(days=5), s.NoticeSent(number=2)
        yield first + timedelta(days=5, hours=2), s.HandedOver(reason="rule")
    if last.status == "succeeded":
        yield from _new_card(past, last, 2)


def _new_card(past: Past, attempt: PaymentAttempt, number: int) -> Story:
    brand, last4 = BRANDS[(past.number + 1) % len(BRANDS)]
    at = attempt.attempted_at
    yield at - SOON, s.CardUpdated(made_by="person", brand=brand, last4=last4)
    yield at - timedelta(seconds=5), s.RetryBegun(number=number, made_by="person")
    yield (
        at,
        s.RetrySucceeded(
            number=number,
            made_by="person",
            amount_minor=past.invoice.amount_minor,
            currency=past.invoice.currency,
        ),
    )


def _outcome(past: Past, attempt: PaymentAttempt) -> Detail:
    if attempt.status == "succeeded":
        return s.RetrySucceeded(
            number=attempt.number,
            amount_minor=past.invoice.amount_minor,
            currency=past.invoice.currency,
            made_by="platform",
        )
    return s.RetryFailed(
        number=attempt.number,
        made_by="platform",
        decline_code=attempt.decline_code,
        decline_class=past.class_of(attempt),
    )
