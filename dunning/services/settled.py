"""What a charge's outcome does to its case, in the transaction that writes the outcome."""

from __future__ import annotations

from datetime import datetime

import structlog

from accounts.models import BillingOrder, OrderKind, OrderState, PaymentMethod
from accounts.registry import OrderSource, order_sources
from cs_platform.lib.quick_rows import QuickRows
from dunning.cases.state import IllegalStep
from dunning.cases.steps import (
    ConfirmationAsked,
    Detail,
    ReadOutcome,
    RetryFailed,
    RetrySettledByReading,
    RetrySucceeded,
    RetryUnknown,
)
from dunning.policy.judging import Judgement, Refusal
from dunning.services.case_plans import plan
from dunning.services.case_steps import SOURCE, CaseBook, open_book, wake
from dunning.services.closing import after_closing
from dunning.services.refused_orders import ask_for

_METHODS = QuickRows(PaymentMethod)
log = structlog.get_logger(__name__)


def register() -> None:
    order_sources.register(OrderSource(SOURCE, on_settled=on_settled, on_unknown=on_unknown))


def on_settled(order: BillingOrder, now: datetime) -> None:
    """Result and next state commit together: paid, refused and planned anew, or to be confirmed by the person."""
    book = open_book(order.source_id) if order.source_id is not None else None
    if book is None:
        return
    if order.kind != OrderKind.PAY:
        ask_for(book, order, now=now)
        book.write()
        return
    was_open = book.state.is_open
    judgement = _judged(book, order)
    book.record(_step(order, judgement), at=now, order=order)
    if order.state == OrderState.ACTION_NEEDED and book.state.is_open:
        book.record(ConfirmationAsked(), at=now, order=order)
    if judgement is not None and judgement.is_hard:
        _block(order, now)
    try:
        plan(book, now=now)
    except IllegalStep:  # what was charged is booked whatever comes of the plan; the case's own job asks anew
        log.exception("dunning.plan_refused", case_id=book.case.pk)
    book.write()
    if was_open and not book.state.is_open:
        after_closing(book, now=now)
    wake(book, now=now)


def on_unknown(order: BillingOrder, now: datetime) -> None:
    """The first call ended without an answer."""
    book = open_book(order.source_id) if order.kind == OrderKind.PAY and order.source_id else None
    if book is not None:
        book.record(RetryUnknown(number=order.number), at=now, order=order)
        book.write()


def _judged(book: CaseBook, order: BillingOrder) -> Judgement | None:
    if order.state not in (OrderState.FAILED, OrderState.ACTION_NEEDED) or _is_absent(order):
        return None
    cards = (
        _METHODS.values("brand", "external_id = %s ORDER BY id LIMIT 1", order.method) if order.method else []
    )
    refusal = Refusal(
        order.decline_code or order.error_code,
        order.advice_code,
        order.network_code,
        order.network_code,
        cards[0][0] if cards else "",
    )
    return book.policy.judge(refusal)


def _is_absent(order: BillingOrder) -> bool:
    """No charge was made, and nothing else speaks against making it."""
    return order.state in (OrderState.CANCELED, OrderState.BY_HAND) or order.error_code == "never_happened"


def _step(order: BillingOrder, judgement: Judgement | None) -> Detail:
    amount, currency = order.amount_minor or 0, order.currency
    decline_class = str(judgement.decline_class) if judgement else ""
    if order.state == OrderState.PENDING:
        return RetryUnknown(number=order.number)
    if order.was_read_back or _is_absent(order):
        outcome = ReadOutcome.FAILED
        if order.state == OrderState.SUCCEEDED:
            outcome = ReadOutcome.SUCCEEDED
        elif _is_absent(order):
            outcome = ReadOutcome.NEVER_MADE
        return RetrySettledByReading(
            number=order.number,
            outcome=outcome,
            made_by=order.made_by,
            amount_minor=amount,
            currency=currency,
            decline_code=order.decline_code or order.error_code,
            decline_class=decline_class,
        )
    if order.state == OrderState.SUCCEEDED:
        return RetrySucceeded(
            amount_minor=amount, currency=currency, number=order.number, made_by=order.made_by
        )
    return RetryFailed(
        number=order.number,
        made_by=order.made_by,
        decline_code=order.decline_code or order.error_code,
        decline_class=decline_class,
        advice_code=order.advice_code,
    )


def _block(order: BillingOrder, now: datetime) -> None:
    """The database takes no further charge of this method."""
    if order.method:
        PaymentMethod.objects.filter(external_id=order.method, blocked_at__isnull=True).update(
            blocked_at=now, blocked_code=(order.decline_code or order.advice_code)[:60]
        )
