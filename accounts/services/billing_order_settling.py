"""Writes an order's result: its own columns, the attempt, the mirror of the invoice, and tells who asked.

All in the caller's transaction, under the job's fence and the lock on the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import BillingOrder, OrderKind, OrderState, PaymentAttempt
from accounts.registry import order_sources
from cs_platform.lib.quick_rows import QuickRows

_ORDERS = QuickRows(BillingOrder)

_ATTEMPT_STATUS = {
    OrderState.SUCCEEDED: PaymentAttempt.Status.SUCCEEDED,
    OrderState.PENDING: PaymentAttempt.Status.PENDING,
    OrderState.FAILED: PaymentAttempt.Status.FAILED,
    OrderState.ACTION_NEEDED: PaymentAttempt.Status.FAILED,
}
# What is kept of an answered object: never a person's data.
_KEPT = ("id", "status", "url", "hosted_invoice_url", "expires_at", "payment_method_types")


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of an order. `made_no_charge`: a failure before any bank was asked."""

    state: OrderState
    charge_ref: str = ""
    decline_code: str = ""
    advice_code: str = ""
    network_code: str = ""
    error_code: str = ""
    was_read_back: bool = False
    object: Mapping[str, Any] = field(default_factory=dict)

    @property
    def made_no_charge(self) -> bool:
        return self.state == OrderState.FAILED and not self.charge_ref and not self.decline_code


def settle(order: BillingOrder, found: Settlement, *, begun_at: datetime, now: datetime) -> None:
    """The outcome of a call or of a reading; `begun_at` is the database's time before it was asked."""
    order.state = found.state
    order.settled_at = None if found.state == OrderState.PENDING else now
    order.was_read_back = found.was_read_back
    order.provider_ref = found.charge_ref or str(found.object.get("id") or "")[:200]
    order.decline_code, order.advice_code = found.decline_code[:60], found.advice_code[:60]
    order.network_code, order.error_code = found.network_code[:60], found.error_code[:60]
    order.result = {name: found.object[name] for name in _KEPT if found.object.get(name)}
    _ORDERS.update(order, _RESULT)
    if order.kind == OrderKind.PAY:
        if not found.made_no_charge:
            _book_attempt(order, found, now)
        if found.state == OrderState.SUCCEEDED:
            _mark_paid(order, begun_at, now)
    _tell(order, now)


_RESULT = (
    "state",
    "settled_at",
    "was_read_back",
    "provider_ref",
    "decline_code",
    "advice_code",
    "network_code",
    "error_code",
    "result",
)


def give_up(order: BillingOrder, state: OrderState, code: str, *, now: datetime) -> None:
    """An order that never left: canceled, or for a person to do."""
    order.state, order.error_code, order.settled_at = state, code, now
    order.save(update_fields=["state", "error_code", "settled_at"])
    _tell(order, now)


def _tell(order: BillingOrder, now: datetime) -> None:
    if order.source_type in order_sources:
        order_sources.get(order.source_type).on_settled(order, now)


def _book_attempt(order: BillingOrder, found: Settlement, now: datetime) -> None:
    """One attempt per charge of the provider: one that a message brought first becomes this order's."""
    values = {
        "workspace": order.workspace_id,
        "invoice": order.invoice_id,
        "account": order.account_id,
        "order": order.pk,
        "at": order.sent_at if found.was_read_back else now,
        "status": _ATTEMPT_STATUS[found.state],
        "decline": order.decline_code,
        "advice": order.advice_code,
        "network": order.network_code,
        "charge": found.charge_ref,
        "amount": order.amount_minor,
        "made_by": order.made_by,
        "method": order.method,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BOOK, values)


# The caller holds the invoice's lock, so that the number is free.
_BOOK = """
WITH known AS (
UPDATE accounts_paymentattempt SET order_id = %(order)s, made_by = %(made_by)s, status = %(status)s,
       decline_code = %(decline)s, advice_code = %(advice)s, network_code = %(network)s
WHERE workspace_id = %(workspace)s AND invoice_id = %(invoice)s
  AND (external_id = %(charge)s AND external_id <> '' OR order_id = %(order)s)
RETURNING id)
INSERT INTO accounts_paymentattempt (workspace_id, invoice_id, account_id, number, attempted_at, status,
    decline_code, advice_code, network_code, external_id, amount_minor, made_by, order_id, method,
    method_kind, brand, last4, country, fingerprint)
SELECT %(workspace)s, %(invoice)s, %(account)s,
    (SELECT coalesce(max(number), 0) + 1 FROM accounts_paymentattempt
     WHERE workspace_id = %(workspace)s AND invoice_id = %(invoice)s),
    %(at)s, %(status)s, %(decline)s, %(advice)s, %(network)s, %(charge)s, %(amount)s, %(made_by)s, %(order)s,
    %(method)s, coalesce(m.kind, ''), coalesce(m.brand, ''), coalesce(m.last4, ''), coalesce(m.country, ''),
    coalesce(m.fingerprint, '')
FROM (SELECT 1) AS one LEFT JOIN accounts_paymentmethod m
    ON m.workspace_id = %(workspace)s AND m.external_id = %(method)s AND %(method)s <> ''
WHERE NOT EXISTS (SELECT FROM known)
"""


def _mark_paid(order: BillingOrder, begun_at: datetime, now: datetime) -> None:
    """As a fetch that began with our call would: an older answer no longer opens the invoice again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_invoice SET status = 'paid', paid_at = %s, amount_paid_minor = amount_minor,"
            " next_attempt_at = NULL, fetched_at = greatest(fetched_at, %s)"
            " WHERE workspace_id = %s AND id = %s AND status <> 'paid'",
            [now, begun_at, order.workspace_id, order.invoice_id],
        )
