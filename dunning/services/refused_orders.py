"""An end state, or taking over the retries, that the payment provider would not do: a person is asked to."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import override

from accounts.models import BillingOrder, OrderKind, OrderState, Workspace
from cs_platform.lib.scoping import current_workspace_id
from dunning.cases.order_words import done_after_all_words, not_done_words
from dunning.cases.steps import Note
from dunning.models import DunningCase
from dunning.queries.refused_orders import REFUSED_SOURCE, is_needless, standing, with_hurdles
from dunning.services.case_steps import CaseBook
from dunning.services.handing_over import arr_of, close_items_of, put_item
from health.models import ResolutionResult

NOT_DONE = (OrderState.FAILED, OrderState.BY_HAND)
ACTS = (
    OrderKind.TAKE_OVER,
    OrderKind.CANCEL,
    OrderKind.PAUSE,
    OrderKind.UNCOLLECTIBLE,
)


def ask_for(book: CaseBook, order: BillingOrder, *, now: datetime) -> None:
    """Say it on the case and put it into the queue. What is settled meanwhile needs nobody."""
    if order.state == OrderState.SUCCEEDED:
        done_after_all(book, order, now=now)
    if order.state not in NOT_DONE or is_needless(book.case, order.kind):
        return
    code = order.error_code or order.state
    workspace = Workspace.objects.get(pk=current_workspace_id())
    with override(workspace.language):
        book.record(Note(text=not_done_words(order.kind, code)), at=now, order=order)
    arr, currency = arr_of(book.case)
    evidence = {"act": order.kind, "code": code, "arr_minor": arr, "arr_currency": currency}
    put_item(book.case, source=source_of(book.case, order.kind), evidence=evidence, now=now)


def source_of(case: DunningCase, kind: str) -> str:
    return f"{REFUSED_SOURCE}:{case.pk}:{kind}"


def done_after_all(book: CaseBook, order: BillingOrder, *, now: datetime) -> None:
    """What was refused before is done: said on the case, and nobody is asked for it any more."""
    if not standing(book.case, order.kind):
        return
    workspace = Workspace.objects.get(pk=current_workspace_id())
    with override(workspace.language):
        book.record(Note(text=done_after_all_words(order.kind)), at=now, order=order)
    close_items_of(
        book.case, source=source_of(book.case, order.kind), result=ResolutionResult.HELPED, now=now
    )


def close_questions(case: DunningCase, *kinds: str, now: datetime) -> None:
    """Nobody needs to do it any more: paid, void, or the case went another way."""
    for kind in kinds or ACTS:
        close_items_of(case, source=source_of(case, kind), result=ResolutionResult.NOT_NEEDED, now=now)


def close_needless(case: DunningCase, *, now: datetime) -> None:
    """Close what is done at the provider by now, whoever did it, or no longer needed."""
    if not with_hurdles([case]):
        return
    for kind in ACTS:
        if is_needless(case, kind):
            close_questions(case, kind, now=now)
