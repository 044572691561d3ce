"""An end state, or taking over the retries, that the payment provider would not do: a person is asked to."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import override

from accounts.models import BillingOrder, OrderKind, OrderState, Workspace
from cs_platform.lib.scoping import current_workspace_id
from dunning.cases.order_words import not_done_words
from dunning.cases.steps import Note
from dunning.models import DunningCase
from dunning.queries.refused_orders import REFUSED_SOURCE
from dunning.services.case_steps import CaseBook
from dunning.services.handing_over import arr_of, close_items_of, put_item
from health.models import ResolutionResult

NOT_DONE = (OrderState.FAILED, OrderState.BY_HAND)
DONE_WITH = ("paid", "void", "uncollectible")


def ask_for(book: CaseBook, order: BillingOrder, *, now: datetime) -> None:
    """Say it on the case and put it into the queue. What is settled meanwhile needs nobody."""
    if order.state not in NOT_DONE or _is_needless(book, order):
        return
    code = order.error_code or order.state
    workspace = Workspace.objects.get(pk=current_workspace_id())
    with override(workspace.language):
        book.record(Note(text=not_done_words(order.kind, code)), at=now, order=order)
    arr, currency = arr_of(book.case)
    evidence = {"act": order.kind, "code": code, "arr_minor": arr, "arr_currency": currency}
    put_item(book.case, source=source_of(book.case, order.kind), evidence=evidence, now=now)


def _is_needless(book: CaseBook, order: BillingOrder) -> bool:
    if order.kind in (OrderKind.TAKE_OVER, OrderKind.UNCOLLECTIBLE):
        return book.invoice.status in DONE_WITH
    subscription = book.invoice.subscription
    return subscription is not None and subscription.ended_at is not None


def source_of(case: DunningCase, kind: str) -> str:
    return f"{REFUSED_SOURCE}:{case.pk}:{kind}"


def close_questions(case: DunningCase, *kinds: str, now: datetime) -> None:
    """Nobody needs to do it any more: paid, void, or the case went another way."""
    for kind in kinds or (OrderKind.TAKE_OVER, OrderKind.CANCEL, OrderKind.PAUSE, OrderKind.UNCOLLECTIBLE):
        close_items_of(case, source=source_of(case, kind), result=ResolutionResult.NOT_NEEDED, now=now)
