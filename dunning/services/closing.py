"""What follows from a case that is over: nothing of it goes on, and nobody is asked for it any more."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from accounts.models import BillingOrder, OrderKind, Workspace
from accounts.services.billing_orders import OrderRefused, place_order, take_back
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import current_workspace_id
from dunning.cases.steps import EndStateApplied, ReadOutcome, RetrySettledByReading
from dunning.cases.transitions import State
from dunning.policy.definition import EndState
from dunning.registry import case_listeners
from dunning.services.case_steps import SOURCE, CaseBook
from dunning.services.handing_over import close_item
from dunning.services.refused_orders import ask_for, close_questions
from health.models import ResolutionResult

# What each end state orders of the provider.
ORDERS = {EndState.CANCEL: OrderKind.CANCEL, EndState.PAUSE: OrderKind.PAUSE}


def after_closing(book: CaseBook, *, now: datetime) -> None:
    """Tell who follows the case, and close what was asked of a CSM. The case is written already."""
    case = book.case
    result = ResolutionResult.HELPED if book.state.state is State.RECOVERED else ResolutionResult.NOT_NEEDED
    close_item(case, result=result, now=now)
    close_questions(case, OrderKind.TAKE_OVER, now=now)
    for listener in case_listeners:
        listener.on_closed(case, now)


def stop_orders(book: CaseBook, *, now: datetime) -> bool:
    """Take back a charge that was not sent yet. False: one is on its way, and its outcome must be known first."""
    state = book.state
    if state.open_attempt is None:
        return True
    orders = BillingOrder.objects.filter(
        invoice_id=book.case.invoice_id, kind=OrderKind.PAY, number=state.open_attempt
    )
    if not take_back(orders):
        return False
    never = RetrySettledByReading(number=state.open_attempt, outcome=ReadOutcome.NEVER_MADE)
    book.record(never, at=now, order=orders.first())
    return True


def apply_end_state(book: CaseBook, *, now: datetime) -> None:
    """The policy's time is over: the step and the orders that make it true."""
    end = book.policy.end_state
    marks = book.policy.marks_uncollectible and bool(book.invoice.provider)
    book.record(EndStateApplied(end_state=end, is_marked_uncollectible=marks), at=now)
    day = _today(now)
    subscription = book.invoice.subscription
    if end in ORDERS and subscription is not None and subscription.ended_at is None:
        _order(book, ORDERS[end], day, now, subscription=subscription)
    if marks:
        _order(book, OrderKind.UNCOLLECTIBLE, day, now, invoice=book.invoice)


def _order(book: CaseBook, kind: OrderKind, day: date, now: datetime, **target: Any) -> None:
    try:
        order = place_order(
            kind=kind,
            account_id=book.case.account_id,
            cause=f"case:{book.case.pk}",
            day=day,
            now=now,
            source_type=SOURCE,
            source_id=book.case.pk,
            **target,
        )
    except OrderRefused:  # ordered before
        return
    ask_for(book, order, now=now)  # without a provider it is a person's from the start


def _today(now: datetime) -> date:
    workspace: Workspace = Workspace.objects.get(pk=current_workspace_id())
    return local_day(now, workspace.zone)
