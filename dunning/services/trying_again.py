"""A person has the payment provider asked once more for what it would not do.

A new order with a new key, named after the refused one: whoever presses twice, or in two windows, orders one. It
charges nothing itself: a payment method that is put in its place is charged by the case's plan.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import override

from accounts.models import BillingOrder, MadeBy, OrderKind, User, Workspace
from accounts.services.audit import audit
from accounts.services.billing_orders import OrderRefused, place_order
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import current_workspace_id
from dunning.cases.order_words import not_again_words, ordered_again_words
from dunning.cases.steps import Note
from dunning.models import DunningCase
from dunning.queries.refused_orders import why_not_again
from dunning.services.case_steps import CaseBook, open_book


class NotAgain(Exception):
    """It is not tried again, and nothing was written; `words` say why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def words(self) -> str:
        return not_again_words(self.code)


@transaction.atomic
def try_again(*, case: DunningCase, order_id: UUID, acting_user: User, now: datetime) -> BillingOrder:
    """Order it anew, while the refusal stands. Raises NotAgain."""
    book = open_book(case.pk)
    refused = BillingOrder.objects.filter(public_id=order_id, account_id=case.account_id).first()
    if book is None or refused is None:
        raise NotAgain("settled")
    if code := why_not_again(book.case, refused):
        raise NotAgain(code)
    workspace = Workspace.objects.get(pk=current_workspace_id())
    order = _order(book, refused, workspace, acting_user, now)
    with override(workspace.language):
        said = Note(text=ordered_again_words(order.kind))
    book.record(said, at=now, order=order, acting_user=acting_user)
    book.write()
    audit(
        "dunning.case.tried_again", acting_user=acting_user, target=book.case, order=order.pk, act=order.kind
    )
    return order


def _order(
    book: CaseBook, refused: BillingOrder, workspace: Workspace, acting_user: User, now: datetime
) -> BillingOrder:
    try:
        return place_order(
            kind=OrderKind(refused.kind),
            account_id=book.case.account_id,
            cause=f"again:{refused.pk}",
            day=local_day(now, workspace.zone),
            now=now,
            invoice=refused.invoice,
            subscription=refused.subscription,
            customer=refused.customer,
            parameters=refused.parameters,
            made_by=MadeBy.CSM,
            method=refused.method,
            source_type=refused.source_type,
            source_id=refused.source_id,
            acting_user=acting_user,
        )
    except OrderRefused as double:
        raise NotAgain("under_way") from double
