"""How one row of a file changes one subscription and the history of its terms. No queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.models import Subscription, SubscriptionChange

TERMS = ("plan_id", "mrr_minor", "currency", "seats", "billing_interval")
Difference = dict[str, tuple[Any, Any]]


class Contradiction(Exception):
    """The row cannot be true together with what is known; the code is one of ROW_PROBLEMS."""

    def __init__(self, code: str, field_name: str) -> None:
        super().__init__(code)
        self.code = code
        self.field_name = field_name


@dataclass
class Draft:
    """A subscription and its changes (by effective time), as they will be written."""

    subscription: Subscription
    changes: list[SubscriptionChange]
    is_new: bool = False
    before: Difference = field(default_factory=dict)
    corrected: dict[int, tuple[SubscriptionChange, Difference]] = field(default_factory=dict)

    def set(self, values: dict[str, Any]) -> None:
        """Set fields of the subscription, remembering what they were first."""
        for name, value in values.items():
            old = getattr(self.subscription, name)
            if old != value:
                self.before[name] = (self.before.get(name, (old,))[0], value)
                setattr(self.subscription, name, value)

    def correct(self, change: SubscriptionChange, values: dict[str, Any]) -> None:
        """Overwrite a change in place: the row says it was wrong, not that something happened."""
        known = self.corrected.get(change.pk, (change, {}))[1]
        difference = {}
        for name, value in values.items():
            old = getattr(change, name)
            if old != value:
                difference[name] = (known.get(name, (old,))[0], value)
                setattr(change, name, value)
        if change.pk and difference:
            self.corrected[change.pk] = (change, known | difference)

    @property
    def is_changed(self) -> bool:
        return bool(self.before or self.corrected or any(change.pk is None for change in self.changes))


def begin(subscription: Subscription) -> Draft:
    """A new subscription: its first terms hold from its start, and were known then."""
    _refuse_end_before_start(subscription)
    first = _change(subscription, subscription.started_at, subscription.started_at, terms_of(subscription))
    return Draft(subscription, [first], is_new=True)


def amend(draft: Draft, values: dict[str, Any], *, effective_at: datetime | None, now: datetime) -> None:
    """Bring a row with the given values (blanks left out) into the draft. Raises Contradiction.

    Other terms begin at `effective_at`, else at `now`; where the subscription is over or has not
    begun they correct its last terms instead.
    """
    started_at = values.get("started_at", draft.subscription.started_at)
    ended_at = values.get("ended_at", draft.subscription.ended_at)
    if ended_at and ended_at < started_at:
        raise Contradiction("ends_before_start", "ended_at")
    if len(draft.changes) > 1 and draft.changes[1].effective_at <= started_at:
        raise Contradiction("start_after_change", "started_at")
    if effective_at and (effective_at < started_at or (ended_at and effective_at >= ended_at)):
        raise Contradiction("change_outside", "effective_at")
    _move_start(draft, started_at)
    draft.set({name: value for name, value in values.items() if name not in TERMS})
    _change_terms(draft, {name: values[name] for name in TERMS if name in values}, effective_at, now)
    current = _in_force(draft.changes, now)
    draft.set(terms_of(current))


def terms_of(row: Subscription | SubscriptionChange) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TERMS}


def _move_start(draft: Draft, started_at: datetime) -> None:
    first = draft.changes[0]
    if first.effective_at != started_at:
        draft.correct(first, {"effective_at": started_at, "known_at": min(first.known_at, started_at)})


def _change_terms(draft: Draft, given: dict[str, Any], effective_at: datetime | None, now: datetime) -> None:
    when = effective_at or now
    base = _in_force(draft.changes, when)
    if all(getattr(base, name) == value for name, value in given.items()):
        return
    subscription = draft.subscription
    is_over = subscription.ended_at is not None and subscription.ended_at <= now
    if effective_at is None and (is_over or subscription.started_at > now):
        draft.correct(draft.changes[-1], given)
    elif base.effective_at == when:
        draft.correct(base, given)
    else:
        change = _change(subscription, when, when, {**terms_of(base), **given})
        draft.changes.append(change)
        draft.changes.sort(key=lambda row: row.effective_at)


def _in_force(changes: list[SubscriptionChange], moment: datetime) -> SubscriptionChange:
    effective = [change for change in changes if change.effective_at <= moment]
    return effective[-1] if effective else changes[0]


def _change(
    subscription: Subscription, effective_at: datetime, known_at: datetime, terms: dict[str, Any]
) -> SubscriptionChange:
    return SubscriptionChange(
        subscription=subscription, effective_at=effective_at, known_at=known_at, **terms
    )


def _refuse_end_before_start(subscription: Subscription) -> None:
    if subscription.ended_at and subscription.ended_at < subscription.started_at:
        raise Contradiction("ends_before_start", "ended_at")
