"""Usage events, generated day by day in columns and handed out in time order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from health.simulation.companies import SimulatedAccount
from health.simulation.history import History, stream
from health.simulation.lanes import NEVER, Floats, Ints
from health.simulation.people import SimulatedContact
from health.simulation.rhythm import COUNTRIES, rhythm


@dataclass(frozen=True, slots=True)
class Feature:
    """Something people do in the product. ``share`` is its part of all events of a deep user."""

    event: str
    share: float
    is_key: bool = False


# The first one opens every session.
FEATURES: tuple[Feature, ...] = (
    Feature("Signed In", 0.0),
    Feature("Dashboard Viewed", 0.24),
    Feature("Report Created", 0.12, is_key=True),
    Feature("Report Shared", 0.10, is_key=True),
    Feature("Automation Run", 0.12, is_key=True),
    Feature("Approval Granted", 0.07, is_key=True),
    Feature("Task Completed", 0.14),
    Feature("Comment Added", 0.08),
    Feature("File Uploaded", 0.05),
    Feature("Data Exported", 0.03),
    Feature("Integration Synced", 0.03),
    Feature("API Called", 0.02),
)
KEY_FEATURES = tuple(index for index, feature in enumerate(FEATURES) if feature.is_key)
_EVENTS_PER_SESSION = 2.2
_LINKED_SHARE = 0.14  # accounts whose own systems call the product every night
_MACHINE_FEATURES = (10, 11)
_LATEST_BACK = 16 * 3600  # local days begin at most this long before the UTC day


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Parallel columns of events, ascending in ``time`` (Unix seconds), the others indexes.

    ``contact`` is -1 where a machine was at work.
    """

    account: NDArray[np.int32]
    contact: NDArray[np.int32]
    feature: NDArray[np.int8]
    time: NDArray[np.int64]
    quantity: NDArray[np.int32]

    def __len__(self) -> int:
        return int(self.time.size)


class UsageStream:
    """Generates the same events each time it is iterated."""

    def __init__(
        self, history: History, accounts: Sequence[SimulatedAccount], contacts: Sequence[SimulatedContact]
    ) -> None:
        spec = history.spec
        self._history, self._spec = history, spec
        country = np.array([COUNTRIES.index(account.country) for account in accounts])
        self._offset = np.array([account.utc_offset_hours * 3600 for account in accounts])
        self._joined = np.array([person.joined_day for person in contacts])
        self._left = np.array([person.left_day for person in contacts])
        self._weight = np.array([person.weight for person in contacts])
        account_of = np.array([person.account for person in contacts])
        self._bounds = np.searchsorted(account_of, np.arange(len(accounts) + 1))
        self._adopted = self._adoption_days()
        self._is_linked = stream(spec.seed, 10).random(len(accounts)) < _LINKED_SHARE
        self._rates = self._event_rates(rhythm(spec)[:, country])

    def _event_rates(self, work: Floats) -> Floats:
        """Expected events per day and account, scaled to the rate that the specification asks for."""
        size = self._history.first.seats.astype(float) ** 0.4
        rates: Floats = self._history.activity * work * size
        # Whoever starts today is busy signing the contract; use begins with the next local day.
        rates[1:][~self._history.alive[:-1]] = 0
        first = self._spec.first_days
        days, expected = self._history.alive[:first].sum(), rates[:first].sum()
        scaled: Floats = rates * (
            self._spec.events_per_account_day * float(days) / max(float(expected), 1e-9)
        )
        return scaled

    def _adoption_days(self) -> Ints:
        """Day on which each account first takes up each feature, NEVER for those it passes over."""
        rng, lanes = stream(self._spec.seed, 7), self._history.first
        shape = (lanes.size, len(FEATURES))
        keys = np.array([feature.is_key for feature in FEATURES])
        takes = rng.random(shape) < np.where(keys, 0.15 + 0.85 * lanes.depth[:, None], 0.85)
        takes[:, :2] = True
        delay = rng.exponential(np.where(keys, 30, 8) * np.ones(shape))
        days: Ints = np.where(takes, lanes.first_day[:, None] + np.rint(delay), NEVER).astype(np.int64)
        return days

    def batches(self, size: int = 50_000, *, told_days: int = 0) -> Iterator[EventBatch]:
        """All events in ascending time, ``size`` to a batch but for the last.

        With ``told_days`` only those that the same business, when it had so many days, did not have yet.
        """
        rng = stream(self._spec.seed, 8)
        held: list[EventBatch] = []
        ready: list[EventBatch] = []
        for day in range(self._spec.days):
            today = [self._day(day, rng), self._night(day, rng)]
            held += today if day >= told_days else [self._since(told_days, batch) for batch in today]
            merged = _sorted(held)
            # The next day's earliest event may lie before this UTC day ends.
            safe = self._spec.start_seconds + (day + 1) * 86400 - _LATEST_BACK
            cut = int(np.searchsorted(merged.time, safe))
            ready.append(_slice(merged, 0, cut))
            held = [_slice(merged, cut, len(merged))]
            if sum(map(len, ready)) >= size:
                whole = _concatenate(ready)
                full = len(whole) // size * size
                yield from (_slice(whole, at, at + size) for at in range(0, full, size))
                ready = [_slice(whole, full, len(whole))]
        rest = _concatenate(ready + held)
        end = self._spec.start_seconds + self._spec.days * 86400
        rest = _slice(rest, 0, int(np.searchsorted(rest.time, end)))
        yield from (_slice(rest, at, at + size) for at in range(0, len(rest), size))

    def _day(self, day: int, rng: np.random.Generator) -> EventBatch:
        """One local day of everyone: sessions of a person, each a sign-in and a few deeds within the hour."""
        sessions = rng.poisson(self._rates[day] / _EVENTS_PER_SESSION)
        account = np.repeat(np.arange(sessions.size), sessions)
        contact = self._pick_people(account, day, rng)
        account, contact = account[contact >= 0], contact[contact >= 0]
        length = 1 + rng.poisson(_EVENTS_PER_SESSION - 1, account.size)
        begins = np.clip(rng.normal(12.8 * 3600, 2.7 * 3600, account.size), 0, 22.9 * 3600)
        of = np.repeat(np.arange(account.size), length)
        nth = np.arange(of.size) - np.repeat(np.cumsum(length) - length, length)
        spread = np.where(nth > 0, rng.uniform(5, 3300, of.size), 0)
        feature = np.where(nth > 0, self._pick_features(account[of], day, rng), 0)
        start = self._spec.start_seconds + day * 86400 - self._offset[account[of]]
        bulk = feature >= len(FEATURES) - 3  # exports, syncs and calls move many rows at once
        quantity = np.where(bulk, 1 + rng.geometric(0.02, of.size), 1)
        return EventBatch(
            account=account[of].astype(np.int32),
            contact=contact[of].astype(np.int32),
            feature=feature.astype(np.int8),
            time=(start + begins[of] + spread).astype(np.int64),
            quantity=quantity.astype(np.int32),
        )

    def _since(self, told_days: int, batch: EventBatch) -> EventBatch:
        """The evening hours that lay beyond the end of that day before."""
        return _pick(batch, batch.time >= self._spec.start_seconds + told_days * 86400)

    def _night(self, day: int, rng: np.random.Generator) -> EventBatch:
        """Calls of the linked accounts' systems: nobody signs in and no contact is known (-1)."""
        runs = self._is_linked & self._history.alive[day] & self._history.alive[max(day - 1, 0)]
        account = np.flatnonzero(runs & (self._rates[day] > 0) & (rng.random(runs.size) < 0.8))
        start = self._spec.start_seconds + day * 86400 - self._offset[account]
        return EventBatch(
            account=account.astype(np.int32),
            contact=np.full(account.size, -1, dtype=np.int32),
            feature=rng.choice(_MACHINE_FEATURES, account.size).astype(np.int8),
            time=(start + rng.uniform(1, 5, account.size) * 3600).astype(np.int64),
            quantity=(1 + rng.geometric(0.01, account.size)).astype(np.int32),
        )

    def _pick_people(self, account: Ints, day: int, rng: np.random.Generator) -> Ints:
        """A present person of each account by share of work, -1 where everyone has left."""
        present = (self._joined <= day) & (day < self._left)
        edges = np.concatenate([[0.0], np.cumsum(self._weight * present)])
        low, high = edges[self._bounds[account]], edges[self._bounds[account + 1]]
        roll = low + rng.random(account.size) * (high - low)
        person = np.searchsorted(edges, roll, side="right") - 1
        person = np.minimum(person, self._bounds[account + 1] - 1)
        picked: Ints = np.where((high > low) & present[person], person, -1)
        return picked

    def _pick_features(self, account: Ints, day: int, rng: np.random.Generator) -> Ints:
        """What is done, among the features taken up by now; lost interest shows in the key features."""
        share = np.array([feature.share for feature in FEATURES])
        keys = np.array([feature.is_key for feature in FEATURES])
        interest = 1 / (1 + np.exp(-2.5 * (self._history.energy[day] + 1.1)))
        weight = share * (self._adopted <= day) * np.where(keys, interest[:, None], 1.0)
        edges = np.cumsum(weight, axis=1)
        roll = rng.random(account.size) * edges[account, -1]
        chosen: Ints = (roll[:, None] >= edges[account]).sum(axis=1)
        return np.minimum(chosen, len(FEATURES) - 1)


def _pick(batch: EventBatch, mask: NDArray[np.bool_]) -> EventBatch:
    return EventBatch(*(getattr(batch, name)[mask] for name in EventBatch.__slots__))


def _slice(batch: EventBatch, start: int, stop: int) -> EventBatch:
    return EventBatch(*(getattr(batch, name)[start:stop] for name in EventBatch.__slots__))


def _concatenate(batches: Sequence[EventBatch]) -> EventBatch:
    return EventBatch(*(np.concatenate([getattr(b, name) for b in batches]) for name in EventBatch.__slots__))


def _sorted(batches: Sequence[EventBatch]) -> EventBatch:
    whole = _concatenate(batches)
    order = np.argsort(whole.time, kind="stable")
    return EventBatch(*(getattr(whole, name)[order] for name in EventBatch.__slots__))
