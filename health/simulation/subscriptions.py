"""Subscriptions with the history of their changes, told from the happenings of the latent process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

import numpy as np

from health.simulation.companies import SimulatedAccount
from health.simulation.history import History
from health.simulation.lanes import TRIAL_DAYS, Lanes
from health.simulation.plans import PLANS, mrr_minor
from health.simulation.reasons import COMMENTS, REASONS

ChangeKind = Literal[
    "trial", "new", "expansion", "contraction", "price_change", "cancel_requested", "ended", "reactivation"
]


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """What a subscription was from ``at`` on. ``mrr_minor`` is 0 on trial and after the end."""

    at: datetime
    kind: ChangeKind
    plan: str
    seats: int
    mrr_minor: int


@dataclass(slots=True)
class SimulatedSubscription:
    """A contract of an account (index into the accounts). ``renews_at`` is the next bill, None once it ended.

    ``cancel_at`` is set from the request on; ``ended_reason`` is "" where the end was involuntary.
    """

    external_id: str
    account: int
    plan: str
    currency: str
    billing_interval: Literal["month", "year"]
    seats: int
    mrr_minor: int
    started_at: datetime
    trial_ends_at: datetime | None = None
    renews_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    cancel_at: datetime | None = None
    ended_at: datetime | None = None
    ended_reason: str = ""
    ended_cause: Literal["", "voluntary", "involuntary"] = ""
    comment: str = ""
    changes: list[SubscriptionChange] = field(default_factory=list)

    def change(self, at: datetime, kind: ChangeKind) -> None:
        """Record the present state as a change."""
        gone = kind in {"trial", "ended"}
        self.changes.append(
            SubscriptionChange(at, kind, self.plan, self.seats, 0 if gone else self.mrr_minor)
        )


class SubscriptionBook:
    """Builds the subscriptions of one account after another from its happenings in time order."""

    def __init__(
        self, history: History, accounts: Sequence[SimulatedAccount], rng: np.random.Generator
    ) -> None:
        self._spec = history.spec
        self._history = history
        self._accounts = accounts
        self._rng = rng
        self._first: Lanes = history.first
        self._plan = history.first.plan.copy()
        self._seats = history.first.seats.copy()
        self._factor = history.first.price_factor.copy()
        self._current: dict[int, SimulatedSubscription] = {}
        self.all: list[SimulatedSubscription] = []

    def local(self, lane: int, day: int, hour: float = 0) -> datetime:
        """UTC instant of a local hour at the account."""
        return self._spec.moment(day, (hour - self._accounts[lane].utc_offset_hours) * 3600)

    def tell(self) -> tuple[SimulatedSubscription, ...]:
        """All subscriptions, by account, with everything that happened to them."""
        for lane in np.flatnonzero(self._first.first_day < 0).tolist():
            self._open(lane, int(self._first.first_day[lane]))
        for day, seen in self._history.happenings:
            for kind in ("began", "price_change", "written_off", "notice", "seats", "ended", "came_back"):
                lanes = seen.lanes.get(kind)
                if lanes is not None:
                    amounts = seen.amounts.get(kind, np.zeros(lanes.size))
                    upgraded = set(seen.lanes.get("upgrade", np.array([], dtype=int)).tolist())
                    for lane, amount in zip(lanes.tolist(), amounts.tolist(), strict=True):
                        self._apply(kind, day, lane, amount, lane in upgraded)
        for subscription in self._current.values():
            self._set_renewal(subscription)
        return tuple(sorted(self.all, key=lambda item: (item.account, item.started_at)))

    def _apply(self, kind: str, day: int, lane: int, amount: float, upgraded: bool) -> None:
        match kind:
            case "began":
                self._open(lane, day)
            case "came_back":
                self._open(lane, day, again=True)
            case "price_change":
                self._factor[lane] *= 1 + amount
                self._reprice(lane, day, "price_change")
            case "seats":
                self._seats[lane] += int(amount)
                self._plan[lane] += int(upgraded)
                self._reprice(lane, day, "expansion" if amount > 0 else "contraction")
            case "written_off":
                self._current[lane].ended_cause = "involuntary"
            case "notice":
                self._give_notice(lane, day, int(amount))
            case "ended":
                self._close(lane, day)

    def _mrr(self, lane: int) -> int:
        return mrr_minor(
            plan=int(self._plan[lane]),
            seats=int(self._seats[lane]),
            currency=self._accounts[lane].currency,
            annual=bool(self._first.annual[lane]),
            factor=float(self._factor[lane]),
        )

    def _open(self, lane: int, day: int, *, again: bool = False) -> None:
        trial = bool(self._first.on_trial[lane]) and not again
        subscription = SimulatedSubscription(
            external_id=f"sub-{self._spec.seed}-{lane + 1:05d}-{2 if again else 1}",
            account=lane,
            plan=PLANS[int(self._plan[lane])].code,
            currency=self._accounts[lane].currency,
            billing_interval="year" if self._first.annual[lane] else "month",
            seats=int(self._seats[lane]),
            mrr_minor=self._mrr(lane),
            started_at=self.local(lane, day, 9),
            trial_ends_at=self.local(lane, day + TRIAL_DAYS, 9) if trial else None,
        )
        if again and lane in {
            item.account for item in self.all if item.external_id == subscription.external_id
        }:
            subscription.external_id += f"-{day}"
        if trial:
            subscription.change(subscription.started_at, "trial")
        paid = day + TRIAL_DAYS if trial else day
        if paid < self._spec.days:
            subscription.change(self.local(lane, paid, 9), "reactivation" if again else "new")
        self._current[lane] = subscription
        self.all.append(subscription)
        self._grow_before(lane, day)

    def _grow_before(self, lane: int, day: int) -> None:
        """Old accounts began smaller than they are when the period starts."""
        subscription = self._current[lane]
        if day > -200 or subscription.seats < 5 or self._rng.random() < 0.45:
            return
        now, seats = subscription.seats, max(2, round(subscription.seats * self._rng.uniform(0.5, 0.85)))
        began = subscription.changes[-1]
        subscription.changes[-1] = SubscriptionChange(
            began.at, "new", began.plan, seats, round(began.mrr_minor * seats / now)
        )
        subscription.change(self.local(lane, int(self._rng.integers(day + 90, -20)), 11), "expansion")

    def _reprice(self, lane: int, day: int, kind: ChangeKind) -> None:
        subscription = self._current[lane]
        subscription.plan = PLANS[int(self._plan[lane])].code
        subscription.seats = int(self._seats[lane])
        subscription.mrr_minor = self._mrr(lane)
        subscription.change(self.local(lane, day, 10), kind)

    def _give_notice(self, lane: int, day: int, reason: int) -> None:
        subscription = self._current[lane]
        subscription.cancel_requested_at = self.local(lane, day, float(self._rng.uniform(9, 18)))
        subscription.ended_reason = REASONS[reason]
        if not subscription.ended_cause:
            subscription.ended_cause = "voluntary"
        if self._rng.random() < 0.6:
            language = self._accounts[lane].language
            subscription.comment = str(self._rng.choice(COMMENTS[language][subscription.ended_reason]))
        subscription.change(subscription.cancel_requested_at, "cancel_requested")
        if not self._history.last.alive[lane] or self._history.last.notice_day[lane] != day:
            return
        subscription.cancel_at = self.local(lane, int(self._history.last.ends_day[lane]))

    def _close(self, lane: int, day: int) -> None:
        subscription = self._current.pop(lane)
        subscription.ended_at = subscription.cancel_at = self.local(lane, day)
        if subscription.ended_cause == "involuntary":
            subscription.ended_reason, subscription.comment = "", ""
        subscription.change(subscription.ended_at, "ended")

    def _set_renewal(self, subscription: SimulatedSubscription) -> None:
        if subscription.cancel_at is not None:
            return
        lane, end = subscription.account, self._spec.end
        day, month = int(self._first.bill_day[lane]), int(self._first.bill_month[lane])
        if subscription.billing_interval == "year":
            due = date(end.year, month, day)
            due = due if due >= end else date(end.year + 1, month, day)
        else:
            due = date(end.year, end.month, day)
            due = due if due >= end else date(end.year + end.month // 12, end.month % 12 + 1, day)
        subscription.renews_at = self.local(lane, (due - self._spec.start).days, 9)
