"""What we ask of the payment provider, as rows: an order and its job are written in the transaction of their cause.

The call follows in `billing_order_running.py`. Keys are deterministic; the database takes one open charge of an
invoice, one of ours a day, one success, and refuses what the card networks forbid (`accounts/order_guard.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction

from accounts.gateways.stripe.acting import PAY_EXPAND
from accounts.models import (
    BillingConnection,
    BillingCustomer,
    BillingOrder,
    Invoice,
    Job,
    MadeBy,
    OrderKind,
    OrderState,
    Subscription,
    User,
)
from cs_platform.lib.quick_rows import QuickRows
from cs_platform.lib.scoping import current_workspace_id

_CONNECTIONS, _ORDERS = QuickRows(BillingConnection), QuickRows(BillingOrder)
ORDER_JOB = "accounts.billing_order"
URGENT = -5  # somebody waits for it
SEEN = "seen"  # of an order's result until it has one: the newest try that was known when it was placed
# Constraints of the database, as the reasons that callers read.
REFUSALS = {
    "billing_order_one_open_charge": "under_way",
    "billing_order_number": "under_way",
    "billing_order_key": "under_way",
    "billing_order_one_success": "paid",
    "billing_order_one_a_day": "one_a_day",
    "charge_over_budget": "network_cap",
    "charge_of_blocked_method": "hard_decline",
}


class OrderRefused(Exception):
    """The database does not take this order; nothing was written. `reason` is one of REFUSALS' values."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def connected() -> BillingConnection | None:
    """The running workspace's way to its provider, if there is one."""
    return _CONNECTIONS.first("disconnected_at IS NULL ORDER BY id LIMIT 1")


_CONNECTED = (
    "SELECT FROM accounts_billingconnection WHERE workspace_id = %(workspace)s AND disconnected_at IS NULL"
)


def is_connected() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS ({_CONNECTED})", {"workspace": current_workspace_id()})
        return bool(cursor.fetchone()[0])


def place_charge(
    *,
    invoice: Invoice,
    day: date,
    now: datetime,
    made_by: MadeBy = MadeBy.PLATFORM,
    method: str = "",
    source_type: str = "",
    source_id: int | None = None,
    acting_user: User | None = None,
    off_session: bool = True,
) -> BillingOrder:
    """Charge what is owed of an invoice, once. `day` is the workspace's local day. Raises OrderRefused.

    Without a connected provider the order is one to be done by hand, and no job is written.
    """
    number, newest, is_connected = _so_far(invoice)
    parameters: dict[str, Any] = {"off_session": off_session, "expand": PAY_EXPAND}
    if method:
        parameters["payment_method"] = method
    return _put(
        BillingOrder(
            kind=OrderKind.PAY,
            made_by=made_by,
            account_id=invoice.account_id,
            invoice=invoice,
            subscription_id=invoice.subscription_id,
            customer_id=invoice.customer_id,
            number=number,
            key=f"{invoice.external_id}:{number}",
            parameters=parameters,
            amount_minor=invoice.amount_minor - invoice.amount_paid_minor,
            currency=invoice.currency,
            method=method,
            source_type=source_type,
            source_id=source_id,
            on_day=day,
            planned_at=now,
            result={SEEN: newest},
            created_by=acting_user,
        ),
        by_hand=not invoice.provider or not is_connected,
        priority=0 if made_by == MadeBy.PLATFORM else URGENT,
    )


def _so_far(invoice: Invoice) -> tuple[int, int, bool]:
    """The number of the next charge, the newest try that is known (its key: a later reading leaves out what was
    there before), and whether a provider is connected."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT coalesce(max(number), 0) + 1 FROM accounts_billingorder"
            "        WHERE workspace_id = %(workspace)s AND invoice_id = %(invoice)s AND kind = 'pay'),"
            " (SELECT coalesce(max(id), 0) FROM accounts_paymentattempt"
            "        WHERE workspace_id = %(workspace)s AND invoice_id = %(invoice)s),"
            f" EXISTS ({_CONNECTED})",
            {"workspace": invoice.workspace_id, "invoice": invoice.pk},
        )
        number, newest, is_connected = cursor.fetchone()
    return int(number), int(newest), bool(is_connected)


def place_order(
    *,
    kind: OrderKind,
    account_id: int,
    cause: str,
    day: date,
    now: datetime,
    invoice: Invoice | None = None,
    subscription: Subscription | None = None,
    customer: BillingCustomer | None = None,
    parameters: Mapping[str, Any] | None = None,
    made_by: MadeBy = MadeBy.PLATFORM,
    method: str = "",
    source_type: str = "",
    source_id: int | None = None,
    acting_user: User | None = None,
) -> BillingOrder:
    """Any act but a charge, on the first given of subscription, invoice and customer, once per `cause`.

    Raises OrderRefused("under_way") when the same act of the same cause was ordered before.
    """
    target = subscription or invoice or customer
    if target is None or kind == OrderKind.PAY:
        raise ValueError(f"{kind} needs what it acts upon")
    return _put(
        BillingOrder(
            kind=kind,
            made_by=made_by,
            account_id=account_id,
            invoice=invoice,
            subscription=subscription,
            customer=customer,
            key=f"{kind}:{target.external_id}:{cause}"[:200],
            parameters=DEFAULTS.get(kind, {}) if parameters is None else dict(parameters),
            method=method,
            source_type=source_type,
            source_id=source_id,
            on_day=day,
            planned_at=now,
            created_by=acting_user,
        ),
        by_hand=not target.provider or not is_connected(),
        priority=0 if made_by == MadeBy.PLATFORM else URGENT,
    )


DEFAULTS: dict[OrderKind, dict[str, Any]] = {
    OrderKind.TAKE_OVER: {"auto_advance": False},
    OrderKind.HAND_BACK: {"auto_advance": True},
    OrderKind.PAUSE: {"pause_collection": {"behavior": "void"}},
    OrderKind.RESUME: {"pause_collection": ""},
}


def method_parameters(*, subscription: Subscription | None, method: str) -> dict[str, Any]:
    """The parameters of SET_METHOD: where the failed method sat, on the subscription if it has one of its own."""
    if subscription is not None and subscription.default_method:
        return {"default_payment_method": method}
    return {"invoice_settings": {"default_payment_method": method}}


def _put(order: BillingOrder, *, by_hand: bool, priority: int) -> BillingOrder:
    order.state = OrderState.BY_HAND if by_hand else OrderState.PLANNED
    try:
        with transaction.atomic():
            _ORDERS.insert([order])
    except IntegrityError as error:
        raise _refused(error) from error
    if not by_hand:
        Job.objects.put(ORDER_JOB, order.pk, priority=priority)
    return order


def _refused(error: IntegrityError) -> Exception:
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
    return OrderRefused(REFUSALS[name]) if name in REFUSALS else error


def take_back(orders: Any) -> int:
    """Cancel what was ordered and not sent yet (a queryset of orders); returns how many.

    What is on its way, or just about to be, goes on to its outcome.
    """
    planned = orders.filter(state=OrderState.PLANNED).select_for_update(skip_locked=True, of=("self",))
    return int(orders.filter(pk__in=[order.pk for order in planned]).update(state=OrderState.CANCELED))


def bring_forward(order: BillingOrder, *, delay: timedelta = timedelta(0)) -> None:
    """Look at an order that waits for its outcome now."""
    Job.objects.put(ORDER_JOB, order.pk, delay=delay)
