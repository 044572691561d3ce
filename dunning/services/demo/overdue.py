"""Retries of the demo's open cases that were due before today: each at its own time, also by the shop's clock."""

from __future__ import annotations

from datetime import datetime

from accounts.gateways.stripe.acting import Request, act
from accounts.gateways.stripe.client import BillingError, open_gateway
from accounts.models import BillingConnection, BillingOrder, Job, OrderState
from accounts.services.billing_order_settling import Settlement, settle
from accounts.services.billing_orders import ORDER_JOB
from dunning.models import DunningCase
from dunning.services.case_plans import begin_retry
from dunning.services.case_steps import open_book
from dunning.services.demo.shop import control

MOST = 60  # of all cases together; a story that goes on longer is cut


def make_overdue(*, now: datetime) -> int:
    """Make them, oldest first, as a worker would have; returns how many. In the running transaction, so that no
    worker sees a retry of last week as one to be made now."""
    way = BillingConnection.objects.filter(disconnected_at__isnull=True).first()
    made = 0
    while way is not None and made < MOST:
        due = DunningCase.objects.filter(state="open", next_retry_at__lt=now).order_by("next_retry_at", "pk")
        if (case := due.first()) is None or case.next_retry_at is None:
            break
        if not _retry(case, way, case.next_retry_at):
            break
        made += 1
    if made:
        control("clock", release=True)
    return made


def _retry(case: DunningCase, way: BillingConnection, at: datetime) -> bool:
    control("clock", now=int(at.timestamp()))
    book = open_book(case.pk)
    order = begin_retry(book, now=at) if book is not None else None
    if book is None or order is None:
        return False
    book.write()
    Job.objects.filter(kind=ORDER_JOB, object_id=order.pk).delete()
    order.state, order.sends, order.sent_at = OrderState.SENT, 1, at
    order.save(update_fields=["state", "sends", "sent_at"])
    settle(order, _charge(order, way), begun_at=at, now=at)
    return True


def _charge(order: BillingOrder, way: BillingConnection) -> Settlement:
    assert order.invoice is not None
    request = Request(order.kind, order.invoice.external_id, order.key, order.parameters)
    try:
        answer = act(open_gateway(way), request)
    except BillingError as error:
        return Settlement(
            state=OrderState.FAILED,
            charge_ref=error.charge_ref,
            decline_code=error.decline_code or error.code,
            advice_code=error.advice_code,
            network_code=error.network_code,
            error_code=error.code,
        )
    return Settlement(state=OrderState(answer.outcome), charge_ref=answer.charge_ref, object=answer.object)
