"""A cancellation that lies ahead: what is owed until then is tried silently, and nobody is pressed.

Retries go on while the invoice is for the time until the planned end. No notice is sent, no banner shown and no
end ordered; where notices would begin, the account's CSM gets an item of the queue. Taken back, all goes on.
"""

from __future__ import annotations

from datetime import datetime

from accounts.models import Job
from dunning.cases.steps import LEAVES, Closed, HandedOver, Leaving, Staying, SubscriptionCanceled, TakenBack
from dunning.cases.transitions import State
from dunning.queries.leaving import has_left, leaves_at
from dunning.registry import case_listeners
from dunning.services.case_steps import CHECK_JOB, CaseBook
from dunning.services.handing_over import close_item, hand_to_csm
from health.models import ResolutionResult


def note_leaving(book: CaseBook, *, now: datetime) -> bool:
    """Bring the case in line with what the subscription says; True when that changed. The caller plans and writes."""
    if not book.state.is_open or has_left(book.invoice, now=now):
        return False
    planned, known = leaves_at(book.invoice, now=now), book.state.leaves_at
    if planned == known:
        return False
    if planned is not None:
        book.record(Leaving(leaves_at=planned), at=now)
    else:
        _stay(book, now)
    if (planned is None) != (known is None):
        book.write()  # listeners read the case's row
        for listener in case_listeners:
            (listener.on_resumed if planned is None else listener.on_paused)(book.case, now)
    return True


def _stay(book: CaseBook, now: datetime) -> None:
    handed = (step.detail for step in reversed(book.steps) if isinstance(step.detail, HandedOver))
    last = next(handed, None)
    was_asked = book.state.handed_over_at is not None and last is not None and last.reason == LEAVES
    book.record(Staying(), at=now)
    if was_asked:  # there is nothing left to settle by hand
        book.record(TakenBack(), at=now)
        close_item(book.case, result=ResolutionResult.NOT_NEEDED, now=now)


def settle_by_hand(book: CaseBook, *, now: datetime) -> None:
    """Where the notices would begin: a person settles it, if none was asked before."""
    if book.state.is_left_to_person:
        return
    if book.state.handed_over_at is not None:  # a CSM has it for another reason: the item says so from now on
        book.record(TakenBack(), at=now)
    hand_to_csm(book, reason=LEAVES, now=now)


def end_of_time(book: CaseBook, *, now: datetime) -> None:
    """The policy's time is over before they leave: closed, and nothing is ordered."""
    book.record(Closed(state=State.UNCOLLECTIBLE, reason=LEAVES), at=now)


def is_gone(book: CaseBook, *, now: datetime) -> bool:
    """They have left. Where the day has come and the mirror does not say so yet, the provider is asked."""
    end = book.state.leaves_at
    if end is None or end > now:
        return False
    if not has_left(book.invoice, now=now):
        if book.invoice.provider:
            Job.objects.put(CHECK_JOB, book.case.pk)
        return False
    book.record(SubscriptionCanceled(is_voluntary=True), at=now)
    return True
