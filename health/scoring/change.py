"""Why a score moved between two days: behaviour, expired data, configuration, override.

The four parts are taken one after the other on the way from the first day to the second, and sum to the
move exactly (all scores lie on the grid of `score.to_grid`):

1. configuration: the first day's facts under the second day's scorecard;
2. data expiry: facts that were newer on the first day than they are on the second grow old or vanish;
3. behaviour: everything else, that is new values and the account's age;
4. override: what a person put in place of the computed score.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from health.scoring.definition import ScorecardDefinition
from health.scoring.score import Floats, MetricTable, ScoreTable, score_accounts, to_grid


@dataclass(frozen=True, slots=True)
class DayFacts:
    """One account on one day: the scorecard in force, a one-row table, the override shown (or None)."""

    definition: ScorecardDefinition
    table: MetricTable
    override: float | None = None

    def __post_init__(self) -> None:
        if self.table.rows != 1:
            raise ValueError(f"Explain one account at a time; the table has {self.table.rows} rows.")


@dataclass(frozen=True, slots=True)
class Change:
    """Move of one account's shown score; behaviour + data_expiry + configuration + override == total.

    None of the parts exist (`total` nan) where one of the days has neither score nor override.
    `by_metric`: (metric, points of the behaviour part) for the second day's measures, plus ("", points)
    for caps; it sums to `behaviour`, and is empty where one of the two scores does not exist.
    """

    total: float
    behaviour: float
    data_expiry: float
    configuration: float
    override: float
    by_metric: tuple[tuple[str, float], ...]


def explain_change(before: DayFacts, after: DayFacts) -> Change:
    """Split the move from one day to another."""
    start = score_accounts(before.definition, before.table)
    configured = score_accounts(after.definition, before.table)
    expired = score_accounts(after.definition, _with_expiry(after.definition, before.table, after.table))
    end = score_accounts(after.definition, after.table)
    shown_start, shown_end = _shown(start, before.override), _shown(end, after.override)
    path = _filled([_first(start), _first(configured), _first(expired), _first(end)], shown_start, shown_end)
    if math.isnan(shown_end - shown_start):
        nothing = math.nan
        return Change(nothing, nothing, nothing, nothing, nothing, ())
    return Change(
        total=shown_end - shown_start,
        behaviour=path[3] - path[2],
        data_expiry=path[2] - path[1],
        configuration=path[1] - path[0],
        override=(shown_end - path[3]) - (shown_start - path[0]),
        by_metric=_by_metric(after.definition, expired, end),
    )


def _first(scores: ScoreTable) -> float:
    return float(scores.score[0])


def _shown(scores: ScoreTable, override: float | None) -> float:
    return _first(scores) if override is None else float(to_grid(override))


def _filled(path: list[float], shown_start: float, shown_end: float) -> list[float]:
    """A stop without a score keeps the one before it; a start without one begins at what was shown."""
    filled: list[float] = []
    fallback = shown_start if not math.isnan(shown_start) else shown_end
    for value in path:
        fallback = fallback if math.isnan(value) else value
        filled.append(fallback)
    return filled


def _with_expiry(definition: ScorecardDefinition, before: MetricTable, after: MetricTable) -> MetricTable:
    """The first day's table, with what expired until the second day as old or as missing as there."""
    names = definition.metrics
    values, ages = np.zeros((1, len(names))), np.zeros((1, len(names)))
    for at, metric in enumerate(names):
        (old, old_age), (new, new_age) = before.column(metric), after.column(metric)
        gone = np.isnan(new) & ~np.isnan(old)
        older = new_age > old_age
        values[0, at] = np.where(gone, np.nan, old)[0]
        ages[0, at] = np.where(older, new_age, old_age)[0]
    return MetricTable(names, values, ages, before.tenure_days)


def _by_metric(
    definition: ScorecardDefinition, expired: ScoreTable, end: ScoreTable
) -> tuple[tuple[str, float], ...]:
    if np.isnan(expired.score[0]) or np.isnan(end.score[0]):
        return ()
    moves: Floats = end.contributions[0] - expired.contributions[0]
    cap = float(end.exception[0] - expired.exception[0])
    found = [(metric, float(move)) for metric, move in zip(definition.metrics, moves, strict=True) if move]
    return tuple([*found, ("", cap)] if cap else found)
