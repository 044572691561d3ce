"""The provider would not put a person's new payment method where the failed one sat.

What is open is charged with it once, by name, so that the person's act is not lost; and a CSM is asked to make it
the default there, or the next payment fails again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext, override

from accounts.models import BillingOrder, MadeBy, OrderKind, OrderState, Workspace
from cs_platform.lib.scoping import current_workspace_id
from dunning.cases.order_words import not_done_words
from dunning.cases.steps import Note
from dunning.models import DunningCase
from dunning.queries.owed import open_cases
from dunning.queries.refused_orders import asked_for, orders_of
from dunning.services.case_steps import open_book
from dunning.services.case_verbs import CaseRefused, pay_now
from dunning.services.handing_over import arr_of, put_item
from dunning.services.refused_orders import done_after_all, source_of


def concerned(order: BillingOrder) -> list[DunningCase]:
    """Open cases whose failed method the order was to replace, in the order in which all lock them."""
    cases = sorted(open_cases(order.account_id), key=lambda case: case.pk)
    if order.subscription_id is not None:
        return [case for case in cases if case.invoice.subscription_id == order.subscription_id]
    return [
        case
        for case in cases
        if case.invoice.customer_id == order.customer_id
        and not (case.invoice.subscription and case.invoice.subscription.default_method)
    ]


def charge_by_name(order: BillingOrder, *, now: datetime) -> None:
    """Each case of a refused SET_METHOD: one charge with the method, where the case takes one; and the CSM's item."""
    for case in concerned(order):
        is_due = case.stopped_at is None and not was_charged(case, order.method)
        is_charged = is_due and _charge(case, order, now)
        _tell(case, order, is_charged, now)


def _charge(case: DunningCase, order: BillingOrder, now: datetime) -> bool:
    try:
        pay_now(case=case, now=now, method=order.method)
    except CaseRefused:  # under way, paid, or refused for good: the CSM's item says what is left to do
        return False
    return True


def _tell(case: DunningCase, order: BillingOrder, is_charged: bool, now: datetime) -> None:
    book = open_book(case.pk)
    if book is None:
        return
    code = order.error_code or order.state
    workspace = Workspace.objects.get(pk=current_workspace_id())
    with override(workspace.language):
        text = not_done_words(OrderKind.SET_METHOD, code)
        if is_charged:
            text += " " + gettext("What is owed is charged with the new method once, by name.")
    book.record(Note(text=text), at=now, order=order)
    book.write()
    arr, currency = arr_of(case)
    evidence = {"act": OrderKind.SET_METHOD, "code": code, "arr_minor": arr, "arr_currency": currency}
    put_item(case, source=source_of(case, OrderKind.SET_METHOD), evidence=evidence, now=now)


def was_charged(case: DunningCase, method: str) -> bool:
    """The invoice was charged with this method by name: another try is the plan's to make."""
    orders = BillingOrder.objects.filter(kind=OrderKind.PAY, invoice_id=case.invoice_id, method=method)
    return bool(orders.exclude(state=OrderState.CANCELED).exists())


def close_questions_of(order: BillingOrder, *, now: datetime) -> None:
    """The method is in its place after all: said on each case that asked for it, also on those that are closed."""
    asking = asked_for(order.account_id, order.kind)
    if not asking:
        return
    # All of the account's cases at once, in the order in which all lock them: the open ones go on from here.
    rows = DunningCase.objects.filter(account_id=order.account_id).select_for_update(no_key=True)
    for case_id in rows.order_by("pk").values_list("pk", flat=True):
        book = open_book(case_id) if case_id in asking else None
        if book is not None and orders_of(book.case, order.kind).filter(pk=order.pk).exists():
            done_after_all(book, order, now=now)
            book.write()


def named_charges(order: BillingOrder) -> Any:
    """Charges with the method of an order that the provider refused (a queryset)."""
    return BillingOrder.objects.filter(
        kind=OrderKind.PAY,
        account_id=order.account_id,
        method=order.method,
        made_by=MadeBy.PERSON,
    ).exclude(state=OrderState.CANCELED)
