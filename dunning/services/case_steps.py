"""The only writer of a case: a step is judged by the reducer, appended, and the columns follow from it.

Everything happens under the case's row lock, so that steps have one order and the stored state is always what the
history replays to.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from accounts.models import BillingCustomer, BillingOrder, Invoice, Job, User
from cs_platform.lib.quick_rows import QuickRows
from dunning.cases.steps import Detail, Opened, Step
from dunning.cases.transitions import CaseState, apply, replay
from dunning.models import DunningCase, DunningPolicyVersion, DunningStep
from dunning.policy.definition import PolicyDefinition

CASE_JOB, CHECK_JOB = "dunning.case", "dunning.check"
SOURCE = "dunning.case"
_CASES, _STEPS, _VERSIONS = QuickRows(DunningCase), QuickRows(DunningStep), QuickRows(DunningPolicyVersion)
_INVOICES, _CUSTOMERS = QuickRows(Invoice), QuickRows(BillingCustomer)
# Columns of a case that are fields of its state by the same name.
COLUMNS = (
    "state",
    "phase",
    "closing_reason",
    "recovered_by",
    "opened_at",
    "failed_at",
    "closed_at",
    "amount_minor",
    "recovered_minor",
    "currency",
    "decline_code",
    "decline_class",
    "attempts",
    "step_count",
    "next_retry_at",
    "notices_at",
    "ends_at",
    "next_at",
    "card_updated_at",
    "handed_over_at",
    "stopped_at",
    "leaves_at",
    "is_held_out",
)


class CaseBook:
    """A locked case with its history. `record` as often as needed, then `write` once."""

    def __init__(self, case: DunningCase, steps: list[Step]) -> None:
        self.case = case
        self.steps = steps
        self._state = replay(steps) if steps else None
        self._new: list[DunningStep] = []

    @property
    def state(self) -> CaseState:
        if self._state is None:
            raise LookupError("the case is not opened")
        return self._state

    @property
    def is_over(self) -> bool:
        return not self.state.is_open

    @cached_property
    def invoice(self) -> Invoice:
        """With who pays it."""
        found = _INVOICES.first("id = %s", self.case.invoice_id)
        if found is None:
            raise LookupError("the invoice is gone")
        if found.customer_id is not None:
            found.customer = _CUSTOMERS.first("id = %s", found.customer_id)
        return found

    @cached_property
    def policy(self) -> PolicyDefinition:
        """What was in force when the case was opened."""
        ((text,),) = _VERSIONS.values("definition", "id = %s", self.case.policy_version_id)
        return PolicyDefinition.of_text(text)

    def record(
        self,
        detail: Detail,
        *,
        at: datetime,
        order: BillingOrder | None = None,
        acting_user: User | None = None,
    ) -> CaseState:
        """Append a step. Raises IllegalStep, and then nothing has changed."""
        step = Step(at, detail)
        self._state = apply(self._state, step)
        self.steps.append(step)
        self._new.append(
            DunningStep(
                case=self.case,
                number=len(self.steps),
                kind=step.kind,
                reason=step.reason[:40],
                detail=step.detail_json(),
                happened_at=at,
                order=order,
                acting_user=acting_user,
            )
        )
        return self._state

    def write(self) -> None:
        """Steps and columns, in the running transaction."""
        if not self._new:
            return
        changed = [name for name in COLUMNS if getattr(self.case, name) != getattr(self.state, name)]
        for name in changed:
            setattr(self.case, name, getattr(self.state, name))
        if self.case._state.adding:
            _CASES.insert([self.case])
        else:
            _CASES.update(self.case, changed)
        for step in self._new:
            step.case_id = self.case.pk
        _STEPS.insert(self._new)
        self._new = []


def columns_of(state: CaseState) -> dict[str, Any]:
    """What the columns of a case in this state hold."""
    return {name: getattr(state, name) for name in COLUMNS}


def open_book(case_id: int) -> CaseBook | None:
    """Lock a case and read its history; None when it is gone."""
    case = _CASES.first("id = %s FOR NO KEY UPDATE", case_id)
    return CaseBook(case, history(case)) if case else None


def history(case: DunningCase) -> list[Step]:
    """The stored steps in their order."""
    rows = _STEPS.values("kind, happened_at, detail", "case_id = %s ORDER BY number", case.pk)
    return [Step.of_row(kind=kind, at=at, detail=json.loads(detail)) for kind, at, detail in rows]


def begin_book(case: DunningCase, opened: Opened, *, at: datetime) -> CaseBook:
    """A new case, not written yet."""
    book = CaseBook(case, [])
    book.record(opened, at=at)
    return book


def record(
    case: DunningCase,
    detail: Detail,
    *,
    now: datetime,
    order: BillingOrder | None = None,
    acting_user: User | None = None,
) -> DunningCase:
    """One step of a case on its own, in the caller's transaction. Raises IllegalStep."""
    book = open_book(case.pk)
    if book is None:
        raise LookupError("the case is gone")
    book.record(detail, at=now, order=order, acting_user=acting_user)
    book.write()
    wake(book, now=now)
    return book.case


def wake(book: CaseBook, *, now: datetime) -> None:
    """Let the case's job look when the state says so, and when the customer will have left."""
    if (at := book.state.next_at) is not None:
        leaves_at = book.state.leaves_at
        at = min(at, leaves_at) if leaves_at is not None and leaves_at > now else at
        Job.objects.put(CASE_JOB, book.case.pk, delay=max(at - now, timedelta(0)))
