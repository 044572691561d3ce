"""Decides what comes next in a case and begins charges: plan, record, order, in the caller's transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from accounts.models import BillingOrder, Invoice, Job, MadeBy, OrderKind, User
from accounts.services.billing_orders import OrderRefused, place_charge, place_order
from cs_platform.lib.periods import day_start, local_day
from dunning.cases.state import IllegalStep
from dunning.cases.steps import LEAVE_PLANS, CardUpdated, RetryBegun, RetryNotPlanned, RetryPlanned, Step
from dunning.cases.transitions import Phase, apply
from dunning.policy.definition import RetriedBy
from dunning.policy.facts import PERSON
from dunning.policy.planning import NoRetry, Retry, first_notice_at, plan_next
from dunning.policy.reasons import WhyNot
from dunning.queries.case_facts import (
    BY_UPDATER,
    Situation,
    current_method,
    situation_of,
    zone_of_payer,
    zone_of_workspace,
)
from dunning.queries.leaving import is_owed_until
from dunning.services.case_steps import CHECK_JOB, SOURCE, CaseBook
from dunning.services.collecting import LOOK_JOB

# What the database says to a planned retry, in the planner's words; the day after all but "paid" may differ.
REFUSED = {
    "paid": WhyNot.PAID,
    "under_way": WhyNot.OUTCOME_UNKNOWN,
    "one_a_day": WhyNot.NO_SLOT,
    "network_cap": WhyNot.NETWORK_CAP,
    "hard_decline": WhyNot.HARD_DECLINE,
}
LATE = timedelta(hours=1)
SETTLED = ("paid", "void", "uncollectible")


def plan(book: CaseBook, *, now: datetime) -> None:
    """Ask the planner anew and record what changes. A charge that is due at once begins at once."""
    if not book.state.is_open or book.state.stopped_at is not None or book.state.open_attempt is not None:
        return
    if book.invoice.status in SETTLED:  # nobody owes it any more: the case is about to learn of it
        Job.objects.put(LOOK_JOB, book.case.invoice_id)
        return
    known = situation_of(book.invoice, ends_at=_last_moment(book), now=now, state=book.state)
    answer = _answer(book, known, now)
    notices_at = _notices_at(book, known, answer)
    if isinstance(answer, Retry) and book.state.is_refused_for_good:
        _note_other_card(book, known, now)
    if isinstance(answer, Retry):
        step: RetryPlanned | RetryNotPlanned = RetryPlanned(
            at=answer.at,
            reason=answer.why,
            data=answer.data,
            made_by=answer.made_by,
            notices_at=notices_at,
        )
    else:
        step = RetryNotPlanned(reason=answer.why, until=answer.until, data=answer.data, notices_at=notices_at)
    if not _says_the_same(book, step, now):
        book.record(step, at=now)
        if isinstance(answer, NoRetry) and answer.why is WhyNot.CHECK_FIRST:
            Job.objects.put(CHECK_JOB, book.case.pk)
    if isinstance(answer, Retry) and answer.at <= now:
        begin_retry(book, now=now, known=known)


def _note_other_card(book: CaseBook, known: Situation, now: datetime) -> None:
    """The refusal is of a card that is no longer there: it was learnt after the new card had come."""
    card = known.method
    made_by = BY_UPDATER if card and card.replaced_at else PERSON
    brand, last4 = (card.brand, card.last4) if card else ("", "")
    book.record(CardUpdated(made_by=made_by, brand=brand, last4=last4), at=now)


def _last_moment(book: CaseBook) -> datetime:
    """Nothing is tried after the case, nor after the customer has left."""
    return min(book.state.ends_at, book.state.leaves_at or book.state.ends_at)


def _answer(book: CaseBook, known: Situation, now: datetime) -> Retry | NoRetry:
    answer = plan_next(known.facts, book.policy, now=now, zone=known.zone, day_zone=known.day_zone)
    is_paid = isinstance(answer, NoRetry) and answer.why is WhyNot.PAID
    end = book.state.leaves_at
    if end is not None and isinstance(answer, Retry) and not is_owed_until(book.invoice, end):
        return NoRetry(WhyNot.LEAVES_BEFORE, None, {})
    if known.is_automatic or is_paid:
        return answer
    # Nobody charges it for us: when a retry would be due, a person is asked to (`case_work.py`).
    asked = book.state.handed_over_at is not None
    at = answer.at if isinstance(answer, Retry) else answer.until
    return NoRetry(WhyNot.NOT_AUTOMATIC, None if asked else at)


def _notices_at(book: CaseBook, known: Situation, answer: Retry | NoRetry) -> datetime | None:
    """When the notices begin; they never move once they have begun."""
    if book.state.notices_begun_at is not None:
        return None
    return first_notice_at(known.facts, book.policy, answer)


def _says_the_same(book: CaseBook, step: RetryPlanned | RetryNotPlanned, now: datetime) -> bool:
    """The last answer reads the same, and the case would not change by it: what came between was a note, a mail, a
    hand-over."""
    last = next(one for one in reversed(book.steps) if one.kind not in LEAVE_PLANS).detail
    if (
        not isinstance(last, RetryPlanned | RetryNotPlanned)
        or replace(last, notices_at=step.notices_at) != step
    ):
        return False
    try:
        after = apply(book.state, Step(now, step))
    except IllegalStep:
        return False
    return replace(after, step_count=book.state.step_count) == book.state


def begin_retry(book: CaseBook, *, now: datetime, known: Situation | None = None) -> BillingOrder | None:
    """Order the charge of the planned retry. None: the database refused it, and the case says why."""
    return begin_charge(book, made_by=MadeBy(_planned(book).made_by), now=now, known=known)


def begin_charge(
    book: CaseBook,
    *,
    made_by: MadeBy,
    now: datetime,
    known: Situation | None = None,
    method: str = "",
    acting_user: User | None = None,
) -> BillingOrder | None:
    """Order a charge; the intent, its key and the step commit together with the caller's transaction."""
    zone = known.day_zone if known else zone_of_workspace()
    day = local_day(now, zone)
    if not method:
        there = known.method if known else current_method(book.invoice)
        method = there.external_id if there else ""
    try:
        order = place_charge(
            invoice=book.invoice,
            day=day,
            now=now,
            made_by=made_by,
            method=method,
            source_type=SOURCE,
            source_id=book.case.pk,
            acting_user=acting_user,
        )
    except OrderRefused as refusal:
        tomorrow = day_start(day + timedelta(days=1), zone)
        why = REFUSED[refusal.reason]
        until = None if why in (WhyNot.PAID, WhyNot.HARD_DECLINE) else min(tomorrow, book.state.ends_at)
        book.record(RetryNotPlanned(reason=why, until=until), at=now)
        return None
    begun = RetryBegun(
        number=order.number,
        made_by=made_by,
        amount_minor=order.amount_minor or 0,
        currency=order.currency,
    )
    book.record(begun, at=now, order=order, acting_user=acting_user)
    return order


def _planned(book: CaseBook) -> RetryPlanned:
    for step in reversed(book.steps):
        if isinstance(step.detail, RetryPlanned):
            return step.detail
    raise LookupError("no retry is planned")


def waits_for_hand(book: CaseBook) -> bool:
    """The last answer was that no provider charges this invoice, and nobody was asked yet."""
    answers = (s for s in reversed(book.steps) if isinstance(s.detail, RetryPlanned | RetryNotPlanned))
    last = next(answers, None)
    return last is not None and last.reason == WhyNot.NOT_AUTOMATIC and book.state.handed_over_at is None


def is_retry_due(book: CaseBook, *, now: datetime) -> bool:
    state = book.state
    is_planned = state.phase in (Phase.PLANNED_RETRY, Phase.HANDED) and state.open_attempt is None
    return is_planned and state.next_retry_at is not None and state.next_retry_at <= now


def is_retry_late(book: CaseBook, *, now: datetime) -> bool:
    """Nothing ran when it was due, and now it is not an hour for it: it is planned anew."""
    due = book.state.next_retry_at
    if due is None or now - due <= LATE:
        return False
    hour = now.astimezone(zone_of_payer(book.invoice)).hour
    return not book.policy.hour_from <= hour < book.policy.hour_until


def take_over(book: CaseBook, *, now: datetime) -> None:
    """Where the policy retries here, the provider's own retries end."""
    invoice: Invoice = book.invoice
    if book.policy.retried_by is not RetriedBy.PLATFORM or not invoice.is_auto_advance:
        return
    known = situation_of(invoice, ends_at=book.state.ends_at, now=now, state=book.state)
    if not known.is_automatic:
        return
    place_order(
        kind=OrderKind.TAKE_OVER,
        account_id=invoice.account_id,
        cause=f"case:{book.case.pk}",
        day=local_day(now, known.day_zone),
        now=now,
        invoice=invoice,
        source_type=SOURCE,
        source_id=book.case.pk,
    )
