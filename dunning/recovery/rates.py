"""Recovery rates, each with its denominator.

The strict rate counts every failed payment in the denominator: a refusal that cannot be retried, and a customer who
cancels while being dunned, are losses (the definition of Churn Buster). Leaving either out is what makes published
rates look better and incomparable; the two common ones are computed beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median

from dunning.recovery.facts import OURS, RecoveryFact

HARD_CLASSES = frozenset({"hard_network", "not_this_purchase"})


@dataclass(frozen=True, slots=True)
class Recovery:
    """Counts and amounts (minor units of the report currency) of one group of failed payments.

    `by_cause` counts what brought the money: silent_retry, notice, person, elsewhere. `unpriced` payments have
    no rate into the report currency and are in the counts only.
    """

    failed: int = 0
    open: int = 0
    recovered: int = 0
    worked: int = 0
    worked_recovered: int = 0
    retriable: int = 0
    retriable_recovered: int = 0
    noticed: int = 0
    new_cards: int = 0
    amount_minor: int = 0
    recovered_minor: int = 0
    open_minor: int = 0
    lost_minor: int = 0
    unpriced: int = 0
    median_days: float | None = None
    by_cause: Mapping[str, int] = field(default_factory=dict)
    minor_by_cause: Mapping[str, int] = field(default_factory=dict)

    @property
    def settled(self) -> int:
        """Failed payments whose end is known."""
        return self.failed - self.open

    @property
    def lost(self) -> int:
        return self.settled - self.recovered

    @property
    def is_settled(self) -> bool:
        """Whether every end is known; until then the rate can only rise."""
        return not self.open

    @property
    def by_us(self) -> int:
        """Recovered by a retry, a notice or a person of ours; what was paid elsewhere is not credited."""
        return sum(self.by_cause.get(cause, 0) for cause in OURS)


def recovery(facts: Iterable[RecoveryFact]) -> Recovery:
    """The numbers of these failed payments."""
    rows = list(facts)
    back = [one for one in rows if one.is_recovered]
    worked = [one for one in rows if one.was_worked]
    retriable = [one for one in rows if one.decline_class not in HARD_CLASSES]
    counts: dict[str, int] = defaultdict(int)
    amounts: dict[str, int] = defaultdict(int)
    for one in back:
        counts[one.recovered_by] += 1
        amounts[one.recovered_by] += one.recovered_minor or 0
    days = [one.days for one in back if one.days is not None]
    return Recovery(
        failed=len(rows),
        open=sum(one.is_open for one in rows),
        recovered=len(back),
        worked=len(worked),
        worked_recovered=sum(one.is_recovered for one in worked),
        retriable=len(retriable),
        retriable_recovered=sum(one.is_recovered for one in retriable),
        noticed=sum(one.was_noticed for one in rows),
        new_cards=sum(one.has_new_card for one in rows),
        amount_minor=sum(one.amount_minor or 0 for one in rows),
        recovered_minor=sum(one.recovered_minor or 0 for one in back),
        open_minor=sum(one.amount_minor or 0 for one in rows if one.is_open),
        lost_minor=sum(one.amount_minor or 0 for one in rows if not one.is_open and not one.is_recovered),
        unpriced=sum(one.amount_minor is None for one in rows),
        median_days=median(days) if days else None,
        by_cause=dict(counts),
        minor_by_cause=dict(amounts),
    )


def monday(day: date) -> date:
    """The first day of the ISO week."""
    return day - timedelta(days=day.weekday())


def by_week(facts: Iterable[RecoveryFact], *, first: date, last: date) -> list[tuple[date, Recovery]]:
    """One entry per ISO week from that of `first` to that of `last`, by the day of the failure; none is left out."""
    weeks: dict[date, list[RecoveryFact]] = defaultdict(list)
    for one in facts:
        weeks[monday(one.failed_on)].append(one)
    start, end = monday(first), monday(last)
    days = [start + timedelta(weeks=at) for at in range((end - start).days // 7 + 1)]
    return [(day, recovery(weeks.get(day, []))) for day in days]


def by_group(facts: Sequence[RecoveryFact], key: Callable[[RecoveryFact], str]) -> list[tuple[str, Recovery]]:
    """One entry per value of `key`, the largest number of failed payments first."""
    groups: dict[str, list[RecoveryFact]] = defaultdict(list)
    for one in facts:
        groups[key(one)].append(one)
    found = [(name, recovery(rows)) for name, rows in groups.items()]
    return sorted(found, key=lambda pair: (-pair[1].failed, pair[0]))
