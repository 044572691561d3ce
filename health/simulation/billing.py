"""Invoices and what became of charging them, with decline codes in Stripe's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from health.simulation.history import History
from health.simulation.refusals import refusal_code
from health.simulation.subscriptions import SimulatedSubscription

INVOICE_TERMS_DAYS = 14


@dataclass(frozen=True, slots=True)
class ChargeAttempt:
    """One try at charging an invoice; ``decline_code`` is "" when it succeeded."""

    at: datetime
    succeeded: bool
    decline_code: str


@dataclass(slots=True)
class SimulatedInvoice:
    """A bill; ``status`` in Stripe's words. Bills paid by bank transfer have no attempts."""

    external_id: str
    account: int
    subscription: int  # index into the subscriptions
    amount_minor: int
    currency: str
    issued_at: datetime
    due_at: datetime
    status: Literal["open", "paid", "uncollectible"] = "open"
    paid_at: datetime | None = None
    attempts: list[ChargeAttempt] = field(default_factory=list)


class _Contracts:
    """Finds the subscription of an account and what it cost at a moment."""

    def __init__(self, subscriptions: Sequence[SimulatedSubscription]) -> None:
        self._all = subscriptions
        self._of: dict[int, list[int]] = {}
        for index, item in enumerate(subscriptions):
            self._of.setdefault(item.account, []).append(index)

    def at(self, account: int, at: datetime) -> int:
        """Index of the account's latest subscription begun by then."""
        begun = [index for index in self._of[account] if self._all[index].started_at <= at]
        return begun[-1] if begun else self._of[account][0]

    def amount(self, index: int, at: datetime) -> int:
        """Amount of the bill of one period in minor units."""
        item = self._all[index]
        charged = [change.mrr_minor for change in item.changes if change.at <= at and change.mrr_minor]
        months = 12 if item.billing_interval == "year" else 1
        return (charged[-1] if charged else item.mrr_minor) * months


class InvoiceBook:
    """Writes invoices day by day and settles them as the charges go."""

    def __init__(
        self, history: History, subscriptions: Sequence[SimulatedSubscription], rng: np.random.Generator
    ) -> None:
        self._history = history
        self._subscriptions = subscriptions
        self._contracts = _Contracts(subscriptions)
        self._rng = rng
        self._latest: dict[int, SimulatedInvoice] = {}
        self._code: dict[int, str] = {}
        self.all: list[SimulatedInvoice] = []

    def tell(self) -> tuple[SimulatedInvoice, ...]:
        """All invoices of the period in order of issue."""
        for day, seen in self._history.happenings:
            refused = seen.lanes.get("charge_failed", np.array([], dtype=int)).tolist()
            places = seen.amounts.get("charge_failed", np.array([])).tolist()
            failed = dict(zip(refused, places, strict=True))
            for lane in seen.lanes.get("billed", np.array([], dtype=int)).tolist():
                self._issue(day, lane, refused=failed.get(lane))
            for lane in seen.lanes.get("came_back", np.array([], dtype=int)).tolist():
                self._issue(day, lane, refused=None)
            for kind in ("retry_failed", "recovered", "given_up"):
                for lane in seen.lanes.get(kind, np.array([], dtype=int)).tolist():
                    self._settle(kind, day, lane)
        return tuple(self.all)

    def _issue(self, day: int, lane: int, *, refused: float | None) -> None:
        at = self._history.spec.moment(day, 20 * 3600)
        index = self._contracts.at(lane, at)
        card = bool(self._history.first.by_card[lane])
        invoice = SimulatedInvoice(
            external_id=f"in-{self._history.spec.seed}-{len(self.all) + 1:06d}",
            account=lane,
            subscription=index,
            amount_minor=self._contracts.amount(index, at),
            currency=self._subscriptions[index].currency,
            issued_at=at,
            due_at=at if card else at + timedelta(days=INVOICE_TERMS_DAYS),
        )
        self.all.append(invoice)
        if refused is not None:
            self._latest[lane] = invoice
            self._code[lane] = refusal_code(refused)
            if card:
                invoice.attempts.append(ChargeAttempt(at, succeeded=False, decline_code=self._code[lane]))
        elif card:
            _pay(invoice, at, card=True)
        else:
            paid = at + timedelta(days=int(self._rng.integers(2, INVOICE_TERMS_DAYS + 3)))
            if paid < self._history.spec.moment(self._history.spec.days):
                _pay(invoice, paid, card=False)

    def _settle(self, kind: str, day: int, lane: int) -> None:
        invoice = self._latest.get(lane)
        if invoice is None:
            return
        card = bool(self._history.first.by_card[lane])
        # Cards are tried again in the morning, at another minute for each.
        at = self._history.spec.moment(day, 7 * 3600 + lane % 170 * 60 if card else 21 * 3600)
        if kind == "recovered":
            _pay(invoice, at, card=card)
        elif kind == "given_up":
            invoice.status = "uncollectible"
        elif card:
            invoice.attempts.append(ChargeAttempt(at, succeeded=False, decline_code=self._code[lane]))


def _pay(invoice: SimulatedInvoice, at: datetime, *, card: bool) -> None:
    invoice.status, invoice.paid_at = "paid", at
    if card:
        invoice.attempts.append(ChargeAttempt(at, succeeded=True, decline_code=""))
