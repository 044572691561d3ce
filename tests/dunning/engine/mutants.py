"""Six bugs of the kind that charge twice, planted into the drainers' process by `DRAINER_MUTANT`; nowhere else."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any


def new_key_on_replay() -> None:
    """Who asks again takes a fresh key."""
    from accounts.services import billing_order_running as running

    begin = running._begin

    def begun(lease: Any, now: Any) -> Any:
        found = begin(lease, now)
        if found is not None and not found.is_reading and found.order.sends > 1:
            key = f"{found.request.key}:{found.order.sends}"
            return replace(found, request=replace(found.request, key=key))
        return found

    running._begin = begun


def key_not_stored() -> None:
    """The key is made for the call and kept nowhere."""
    from accounts.services import billing_order_running as running

    act = running.act
    running.act = lambda gateway, request: act(gateway, replace(request, key=str(uuid.uuid4())))


def call_inside_transaction() -> None:
    """One transaction around intent, call and result."""
    from accounts.registry import job_kinds
    from accounts.services.billing_orders import ORDER_JOB
    from cs_platform.lib.scoping import workspace_scope

    kind = job_kinds.get(ORDER_JOB)

    def handler(lease: Any) -> None:
        with workspace_scope(lease.workspace_id):
            kind.handler(lease)

    job_kinds._items[ORDER_JOB] = replace(kind, handler=handler)


def no_fence() -> None:
    """Whose lease it is, is not asked: neither before the result nor at the end of the job."""
    from accounts.services import jobs

    end = jobs.Lease._end

    def ends(lease: Any, statement: str, values: list[Any]) -> None:
        try:
            end(lease, statement, values)
        except jobs.LostLease:
            lease.is_over = True

    jobs.Lease.hold = lambda lease: None
    jobs.Lease._end = ends


def two_transactions() -> None:
    """The order's result is committed, and then what follows from it."""
    from django.utils import timezone

    from accounts.services import billing_order_running as running
    from accounts.services import billing_order_settling as settling
    from cs_platform.lib.scoping import workspace_scope

    tell = settling._tell

    def settle(lease: Any, begun: Any, found: Any) -> None:
        settling._tell = lambda order, now: None
        try:
            with workspace_scope(lease.workspace_id):
                lease.hold()
                if not running._lock_again(lease.workspace_id, begun.order):
                    return
                running.settle(begun.order, found, begun_at=begun.begun_at, now=timezone.now())
        finally:
            settling._tell = tell
        with workspace_scope(lease.workspace_id):
            tell(begun.order, timezone.now())

    running._settle = settle


def timeout_is_a_failure() -> None:
    """No answer is taken for a refusal."""
    from accounts.services import billing_order_running as running

    answered = running._not_answered

    def not_answered(lease: Any, begun: Any, error: Any) -> None:
        if error.outcome_unknown:
            failed = running.Settlement(state=running.OrderState.FAILED, error_code="timeout")
            running._settle(lease, begun, failed)
        else:
            answered(lease, begun, error)

    running._not_answered = not_answered


MUTANTS: dict[str, Callable[[], None]] = {
    made.__name__: made
    for made in (
        new_key_on_replay,
        key_not_stored,
        call_inside_transaction,
        no_fence,
        two_transactions,
        timeout_is_a_failure,
    )
}
