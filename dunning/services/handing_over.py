"""A case as something that a CSM should do: an item of the queue with the money at stake."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Account, Workspace
from cs_platform.lib.periods import local_day
from cs_platform.lib.quick_rows import QuickRows
from cs_platform.lib.scoping import current_workspace_id
from dunning.cases.steps import HandedOver
from dunning.models import DunningCase
from dunning.services.case_steps import CaseBook
from health.models import AccountState, QueueItem, Resolution, ResolutionResult, Severity
from health.services.queue import refresh_entries

_ITEMS = QuickRows(QueueItem)
QUEUE_SOURCE = "dunning"


def due_at(book: CaseBook) -> datetime | None:
    """When the policy looks whether to hand the case over by itself; None when it does not, or did."""
    state, policy = book.state, book.policy
    if not state.is_open or state.handed_over_at is not None or state.stopped_at is not None:
        return None
    if policy.handoff_arr_minor is None:
        return None
    return state.failed_at + timedelta(days=policy.handoff_days)


def is_worth_it(book: CaseBook) -> bool:
    """So much is at stake that a person should ask."""
    least = book.policy.handoff_arr_minor
    return least is not None and arr_of(book.case)[0] >= least


def hand_to_csm(book: CaseBook, *, reason: str, now: datetime, acting_user: Any = None) -> None:
    """Ask the account's CSM. Raises IllegalStep when that was done before."""
    arr, currency = arr_of(book.case)
    item = open_item(book.case, reason=reason, now=now, arr_minor=arr, arr_currency=currency)
    detail = HandedOver(reason=reason, arr_minor=arr, currency=currency, queue_item=item.pk)
    book.record(detail, at=now, acting_user=acting_user)


def open_item(
    case: DunningCase, *, reason: str, now: datetime, arr_minor: int, arr_currency: str
) -> QueueItem:
    """The case's item in the queue, opened or brought up to date."""
    evidence = {
        "reason": reason,
        "arr_minor": arr_minor,
        "arr_currency": arr_currency,
        "decline_code": case.decline_code,
    }
    return put_item(case, source=f"{QUEUE_SOURCE}:{case.pk}", evidence=evidence, now=now)


def put_item(case: DunningCase, *, source: str, evidence: Mapping[str, Any], now: datetime) -> QueueItem:
    """An item of the queue about a case, opened or brought up to date; the queue's row follows at once."""
    workspace = Workspace.objects.get(pk=current_workspace_id())
    about = {"case": str(case.public_id), "amount_minor": case.amount_minor, "currency": case.currency}
    item, _made = QueueItem.objects.update_or_create(
        account_id=case.account_id,
        source=source,
        closed_at=None,
        defaults={
            "severity": Severity.HIGH,
            "evidence": about | dict(evidence),
            "opened_on": local_day(now, workspace.zone),
        },
    )
    refresh_entries([case.account_id])
    return item


def close_item(case: DunningCase, *, result: ResolutionResult, now: datetime) -> None:
    """Nothing is to be done any more."""
    close_items_of(case, source=f"{QUEUE_SOURCE}:{case.pk}", result=result, now=now)


def close_items_of(case: DunningCase, *, source: str, result: ResolutionResult, now: datetime) -> None:
    """The item of this source, if it is open, is closed with a result."""
    if not _ITEMS.exists("account_id = %s AND source = %s AND closed_at IS NULL", case.account_id, source):
        return
    items = QueueItem.objects.filter(account_id=case.account_id, source=source, closed_at__isnull=True)
    if not items.update(closed_at=now):
        return
    workspace = Workspace.objects.get(pk=current_workspace_id())
    Resolution.objects.create(
        account_id=case.account_id,
        result=result,
        sources=[source],
        resolved_at=now,
        quiet_until=local_day(now, workspace.zone),
    )
    refresh_entries([case.account_id])


def arr_of(case: DunningCase) -> tuple[int, str]:
    """The account's ARR in the report currency, as of the last night."""
    row = AccountState.objects.filter(account_id=case.account_id).values_list("arr_minor", "currency").first()
    if row is not None:
        return row[0], row[1]
    return 0, str(Account.objects.get(pk=case.account_id).workspace.report_currency)
