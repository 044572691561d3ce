"""The case's own job: what is due now, and when to look again. One transaction, fenced by the lease."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.services.jobs import ComeBack, Lease
from cs_platform.lib.scoping import workspace_scope
from dunning.cases.steps import NoticeBegun
from dunning.policy.classes import HARD_DECLINES
from dunning.registry import case_listeners
from dunning.services.case_plans import begin_retry, is_retry_due, is_retry_late, plan, waits_for_hand
from dunning.services.case_steps import CaseBook, open_book
from dunning.services.closing import after_closing, apply_end_state, stop_orders
from dunning.services.handing_over import due_at, hand_to_csm, is_worth_it
from dunning.services.leaving import end_of_time, is_gone, note_leaving, settle_by_hand

LONGEST_SLEEP = timedelta(days=30)


def run_case(lease: Lease) -> None:
    """Handler of the case's job; it comes back as long as the case is open."""
    now = timezone.now()
    with workspace_scope(lease.workspace_id):
        again_at = look_at_case(lease.object_id, now=now, fence=lease.hold)
    if again_at is not None:
        raise ComeBack(min(max(again_at - now, timedelta(0)), LONGEST_SLEEP))


def look_at_case(case_id: int, *, now: datetime, fence: Callable[[], None] = lambda: None) -> datetime | None:
    """Do what is due and return when something will be; None when the case is over.

    `fence` is asked under the case's lock: whoever moves a case locks it before the row of any job.
    """
    book = open_book(case_id)
    fence()
    return None if book is None or book.is_over else _work(book, now)


def _work(book: CaseBook, now: datetime) -> datetime | None:
    if book.state.stopped_at is None:
        _do_what_is_due(book, now)
        book.write()
    if book.is_over:
        after_closing(book, now=now)
        return None
    return _again_at(book, now)


def _do_what_is_due(book: CaseBook, now: datetime) -> None:
    if note_leaving(book, now=now):
        plan(book, now=now)
    if book.state.ends_at <= now:
        _end(book, now)
        return
    if book.state.open_attempt is None and is_gone(book, now=now):
        return
    _charge_or_plan(book, now)
    if (hand_over_at := due_at(book)) is not None and hand_over_at <= now and is_worth_it(book):
        hand_to_csm(book, reason="rule", now=now)
    if _are_notices_due(book, now):
        (settle_by_hand if book.state.leaves_at else _begin_notices)(book, now=now)


def _end(book: CaseBook, now: datetime) -> None:
    """The time is over; a charge on its way is waited for."""
    if stop_orders(book, now=now):
        (end_of_time if book.state.leaves_at else apply_end_state)(book, now=now)


def _charge_or_plan(book: CaseBook, now: datetime) -> None:
    if is_retry_due(book, now=now):
        (plan if is_retry_late(book, now=now) else begin_retry)(book, now=now)
    elif book.state.look_at is not None and book.state.look_at <= now and book.state.open_attempt is None:
        if waits_for_hand(book):
            hand_to_csm(book, reason="not_automatic", now=now)
        plan(book, now=now)


def _are_notices_due(book: CaseBook, now: datetime) -> bool:
    """Nobody is told of a failure while a charge is under way that may mend it."""
    state = book.state
    is_waiting = not state.is_told and state.open_attempt is None
    return is_waiting and state.notices_at is not None and state.notices_at <= now


def _begin_notices(book: CaseBook, *, now: datetime) -> None:
    runs = [listener.on_notices_due(book.case, now) for listener in case_listeners]
    run = next((run for run in runs if run is not None), None)
    if run is not None:
        book.case.notice_run = run
        book.case.save(update_fields=["notice_run"])
    is_hard = book.state.decline_class in HARD_DECLINES
    reason = "hard" if is_hard else "silent_over"
    book.record(NoticeBegun(reason=reason, run=run.pk if run else 0), at=now)


def _again_at(book: CaseBook, now: datetime) -> datetime | None:
    """The next moment that is known. A stopped case, or one whose charge is under way, waits for what moves it."""
    hand_over_at = due_at(book)
    is_ahead = hand_over_at is not None and hand_over_at > now
    leaves_at = book.state.leaves_at
    moments = [
        book.state.next_at,
        hand_over_at if is_ahead else None,
        leaves_at if leaves_at and leaves_at > now else None,
    ]
    at = min((moment for moment in moments if moment is not None), default=now + LONGEST_SLEEP)
    # What is due and could not be done waits for an outcome, which wakes the case.
    return at if at > now else now + timedelta(minutes=10)
