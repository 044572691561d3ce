"""One order, driven to its outcome: intent committed, call outside any transaction, result in one transaction.

A call without an answer leaves "unknown". The same key goes out again, with the parameters as they are stored,
while the first call is younger than 20 hours (the provider forgets keys from 24 hours on); afterwards the outcome
is only read (`billing_order_reading.py`). Each transaction is fenced by the job's lease.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection
from django.utils import timezone

from accounts.gateways.stripe.acting import Answer, Request, act
from accounts.gateways.stripe.client import BillingError, open_gateway
from accounts.gateways.stripe.rights import WAITS_FOR
from accounts.models import OPEN_ORDERS, BillingConnection, BillingOrder, OrderKind, OrderState
from accounts.registry import order_sources
from accounts.services.billing_messages import note_refused
from accounts.services.billing_mirror import lock_object
from accounts.services.billing_order_reading import Absent, Undecided, read_back
from accounts.services.billing_order_settling import Settlement, give_up, settle
from accounts.services.billing_orders import connected
from accounts.services.billing_pace import paced_gateway, reserve_turn
from accounts.services.billing_rights import note_missing_right
from accounts.services.jobs import ComeBack, Lease
from cs_platform.lib.quick_rows import QuickRows
from cs_platform.lib.scoping import workspace_scope

log = structlog.get_logger(__name__)

_ORDERS = QuickRows(BillingOrder)
KEY_IS_SAFE = timedelta(hours=20)
NOT_NOW = timedelta(seconds=3)  # 409, 429: nothing happened
KEY_REFUSED = timedelta(minutes=15)
NO_CONNECTION = timedelta(hours=1)
DEBITS = timedelta(hours=6)  # how often a payment that takes days is looked at
PAUSES = [timedelta(seconds=s) for s in (2, 10, 60, 300, 900, 3600)]
_AWAITED = (OrderState.SENT, OrderState.UNKNOWN, OrderState.PENDING)
CONFIRM_CODES = {"authentication_required", "invoice_payment_intent_requires_action"}


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the first transaction left: the call to make, or the reading."""

    request: Request
    way: BillingConnection
    order: BillingOrder
    begun_at: datetime
    wait: float = 0.0
    is_reading: bool = False


def run_order(lease: Lease) -> None:
    """Handler of the order's job."""
    begun = _begin(lease, timezone.now())
    if begun is None:
        return
    if begun.wait > 0:
        time.sleep(begun.wait)
    if begun.is_reading:
        _read(lease, begun)
        return
    if _key_is_old(begun.order, timezone.now()):  # the machine slept since
        raise ComeBack(timedelta(0))
    try:
        answer = act(open_gateway(begun.way), begun.request)
    except BillingError as error:
        _not_answered(lease, begun, error)
    else:
        _settle(lease, begun, _of_answer(answer))


def _begin(lease: Lease, now: datetime) -> _Begun | None:
    """The first transaction: "sent" is committed before anything leaves. None: nothing is to be done."""
    with workspace_scope(lease.workspace_id):
        lease.hold()
        order = _load(lease.object_id)
        if order is None or order.state not in (*OPEN_ORDERS, OrderState.PENDING):
            return None
        way = connected()
        if way is None:
            _without_way(order, now)
            return None
        if way.refused_at is not None:  # until somebody gives us a key that is taken
            raise ComeBack(KEY_REFUSED)
        if order.state == OrderState.PLANNED and _is_settled_elsewhere(order):
            give_up(order, OrderState.CANCELED, "invoice_closed", now=now)
            return None
        is_reading = order.state == OrderState.PENDING or _key_is_old(order, now)
        request = Request(order.kind, _target(order), order.key, order.parameters)
        if is_reading:
            return _Begun(request, way, order, _clock(), is_reading=True)
        wait = reserve_turn(way.calls_per_second)
        return _Begun(request, way, order, _mark_sent(order, now), wait)


def _load(order_id: int) -> Any:
    """The order, locked, with the provider's ids of what it is about; None when it is gone."""
    order: Any = _ORDERS.first("id = %s FOR NO KEY UPDATE", order_id)
    if order is not None:
        with connection.cursor() as cursor:
            cursor.execute(_REFS, {"workspace": order.workspace_id, "order": order.pk})
            found = cursor.fetchone()
        order.invoice_ref, order.invoice_status, order.subscription_ref, order.customer_ref = found
    return order


_REFS = """
SELECT i.external_id, i.status,
    (SELECT external_id FROM accounts_subscription s WHERE s.workspace_id = o.workspace_id AND s.id = o.subscription_id),
    (SELECT external_id FROM accounts_billingcustomer c WHERE c.workspace_id = o.workspace_id AND c.id = o.customer_id)
FROM accounts_billingorder o
LEFT JOIN accounts_invoice i ON i.workspace_id = o.workspace_id AND i.id = o.invoice_id
WHERE o.workspace_id = %(workspace)s AND o.id = %(order)s
"""


def _lock_again(workspace_id: int, order: Any) -> bool:
    """Lock order and invoice for the result; False when the order went on without us."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state FROM accounts_billingorder WHERE workspace_id = %s AND id = %s FOR NO KEY UPDATE",
            [workspace_id, order.pk],
        )
        row = cursor.fetchone()
        if row is None or row[0] not in _AWAITED:
            return False
        order.state = row[0]
    if order.kind == OrderKind.PAY:  # the mirror writes under the same lock
        lock_object(order.invoice_ref)
    return True


def _is_settled_elsewhere(order: Any) -> bool:
    return order.kind == OrderKind.PAY and order.invoice_status != "open"


def _without_way(order: BillingOrder, now: datetime) -> None:
    """The provider was disconnected. What was never sent becomes a person's; what was waits for its outcome."""
    if order.state != OrderState.PLANNED:
        raise ComeBack(NO_CONNECTION)
    give_up(order, OrderState.BY_HAND, "no_connection", now=now)


def _key_is_old(order: BillingOrder, now: datetime) -> bool:
    return order.sent_at is not None and now - order.sent_at >= KEY_IS_SAFE


def _mark_sent(order: BillingOrder, now: datetime) -> datetime:
    """Returns the database's time, after which the provider's answer was made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_billingorder SET state = CASE state WHEN 'planned' THEN 'sent' ELSE state END,"
            " sends = sends + 1, sent_at = coalesce(sent_at, %s) WHERE workspace_id = %s AND id = %s"
            " RETURNING state, sends, sent_at, clock_timestamp()",
            [now, order.workspace_id, order.pk],
        )
        order.state, order.sends, order.sent_at, begun_at = cursor.fetchone()
    moment: datetime = begun_at
    return moment


def _clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _target(order: Any) -> str:
    """The provider's id of what the order acts upon."""
    by_kind = {OrderKind.PAY: order.invoice_ref, OrderKind.SETUP: order.customer_ref}
    if "invoice_settings" in order.parameters:
        by_kind[OrderKind.SET_METHOD] = order.customer_ref
    first = order.subscription_ref or order.invoice_ref or order.customer_ref
    return str(by_kind.get(OrderKind(order.kind)) or first)


def _of_answer(answer: Answer) -> Settlement:
    return Settlement(
        state=OrderState(answer.outcome),
        charge_ref=answer.charge_ref,
        object=answer.object,
    )


def _not_answered(lease: Lease, begun: _Begun, error: BillingError) -> None:
    """No clear answer, or a refusal: each leads to its own state."""
    if error.outcome_unknown:
        _leave_unknown(lease, begun, error)
    elif error.http_status == 409:  # a call with this key is still running there, whoever made it
        raise ComeBack(NOT_NOW)
    elif not error.permanent:
        _undo_sending(lease, begun, NOT_NOW)
    elif error.http_status in (401, 403):
        _wait_for_key(lease, begun, error)
    elif error.is_declined:
        _settle(lease, begun, _declined(error))
    else:
        _read(lease, begun, error.code or f"http_{error.http_status}")


def _wait_for_key(lease: Lease, begun: _Begun, error: BillingError) -> None:
    """Nothing happened: the key, or one of its rights, is missing. Admins are told once, the order says it."""
    with workspace_scope(lease.workspace_id):
        if error.is_refused_key:
            note_refused(begun.way, now=timezone.now())
            code = error.code or "key_refused"
        else:
            needed = _right_for(begun.request)
            code = WAITS_FOR + note_missing_right(begun.way, error, now=timezone.now(), fallback=needed)
    _undo_sending(lease, begun, KEY_REFUSED, code)


def _right_for(request: Request) -> str:
    if request.kind == OrderKind.SETUP:
        return "checkout_session_write"
    prefixes = {"in_": "invoice_write", "sub_": "subscription_write", "cus_": "customer_write"}
    return next((right for prefix, right in prefixes.items() if request.target.startswith(prefix)), "")


def _declined(error: BillingError) -> Settlement:
    asks = error.code in CONFIRM_CODES or error.decline_code in CONFIRM_CODES
    return Settlement(
        state=OrderState.ACTION_NEEDED if asks else OrderState.FAILED,
        charge_ref=error.charge_ref,
        decline_code=error.decline_code or error.code,
        advice_code=error.advice_code,
        network_code=error.network_code,
        error_code=error.code,
    )


def _leave_unknown(lease: Lease, begun: _Begun, error: BillingError) -> None:
    with workspace_scope(lease.workspace_id):
        lease.hold()
        order = begun.order
        if not _lock_again(lease.workspace_id, order):
            return
        is_first = order.state == OrderState.SENT
        order.state, order.error_code = OrderState.UNKNOWN, error.code
        order.save(update_fields=["state", "error_code"])
        if is_first and order.source_type in order_sources:
            order_sources.get(order.source_type).on_unknown(order, timezone.now())
        lease.put_off(_pause(order.sends))
    log.warning("billing_order.unknown", order_id=begun.order.pk, code=error.code, sends=begun.order.sends)


def _pause(sends: int) -> timedelta:
    return PAUSES[min(max(sends, 1), len(PAUSES)) - 1]


def _undo_sending(lease: Lease, begun: _Begun, delay: timedelta, code: str = "") -> None:
    """The provider did not begin: this call does not count. An earlier one without an answer stays as it is.

    `code` says on the order why it waits, until its next answer.
    """
    with workspace_scope(lease.workspace_id):
        lease.hold()
        order = begun.order
        if _lock_again(lease.workspace_id, order):
            order.sends -= 1
            if order.sends == 0:
                order.state, order.sent_at = OrderState.PLANNED, None
            order.error_code = code[:60] or order.error_code
            order.save(update_fields=["state", "sends", "sent_at", "error_code"])
    raise ComeBack(delay)


def _read(lease: Lease, begun: _Begun, refused_code: str = "") -> None:
    """Settle by what the provider holds. `refused_code`: why it did not take the call at all."""
    try:
        found = read_back(paced_gateway(begun.way), begun.order, begun.request)
    except BillingError as error:
        log.warning("billing_order.unread", order_id=begun.order.pk, code=error.code)
        if error.http_status == 403:
            with workspace_scope(lease.workspace_id):
                note_missing_right(begun.way, error, now=timezone.now(), fallback=_right_for(begun.request))
        raise ComeBack(_pause(begun.order.sends + 2)) from error
    if isinstance(found, Undecided) or _still_pending(begun.order, found):
        raise ComeBack(DEBITS)
    if isinstance(found, Absent):
        code = refused_code or "never_happened"
        found = Settlement(state=OrderState.FAILED, error_code=code, was_read_back=True)
    _settle(lease, begun, found)


def _still_pending(order: BillingOrder, found: Settlement | Absent) -> bool:
    is_pending = isinstance(found, Settlement) and found.state == OrderState.PENDING
    return is_pending and order.state == OrderState.PENDING


def _settle(lease: Lease, begun: _Begun, found: Settlement) -> None:
    """The last transaction: result, mirror, what follows from it, and the end of the job, together."""
    with workspace_scope(lease.workspace_id):
        lease.hold()
        if not _lock_again(lease.workspace_id, begun.order):
            return
        settle(begun.order, found, begun_at=begun.begun_at, now=timezone.now())
        if found.state == OrderState.PENDING:
            lease.put_off(DEBITS)
        else:
            lease.finish()
