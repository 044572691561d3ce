"""The scorecard as data: what is measured and how it is judged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

Direction = Literal["up", "down"]
Missing = Literal["redistribute", "decay", "poor"]

DIRECTIONS = ("up", "down")
MISSING_RULES = ("redistribute", "decay", "poor")
LIMIT_STATES = ("red", "yellow")
DEFAULT_HALF_LIFE_DAYS = 14.0


@dataclass(frozen=True, slots=True)
class TenureBand:
    """Thresholds for accounts that are at least this many days old."""

    min_tenure_days: int
    red: float
    green: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One judged metric: 0 points at `red` and beyond, 100 at `green` and beyond, linear between.

    `direction` "up" means higher is better (green > red), "down" the reverse. The tenure band with the
    largest `min_tenure_days` not above the account's age replaces `red` and `green`.
    """

    metric: str
    weight: float
    red: float
    green: float
    direction: Direction = "up"
    tenure_bands: tuple[TenureBand, ...] = ()
    missing: Missing = "redistribute"
    half_life_days: float = DEFAULT_HALF_LIFE_DAYS


@dataclass(frozen=True, slots=True)
class ExceptionRule:
    """Caps the score at `cap` while the measure of `metric` is red (0 points), or not green for "yellow"."""

    metric: str
    when: Literal["red", "yellow"]
    cap: float


@dataclass(frozen=True, slots=True)
class Bands:
    """Lower edges of yellow and green, inclusive; below `yellow` is red."""

    yellow: float = 50.0
    green: float = 75.0

    def name(self, score: float) -> str:
        """Band of one score; empty where there is no score."""
        if math.isnan(score):
            return ""
        return "green" if score >= self.green else "yellow" if score >= self.yellow else "red"


@dataclass(frozen=True, slots=True)
class ScorecardDefinition:
    """A whole scorecard version."""

    measures: tuple[Measure, ...]
    exceptions: tuple[ExceptionRule, ...] = ()
    bands: Bands = Bands()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metric names in the order of the measures, to which all contribution arrays are aligned."""
        return tuple(measure.metric for measure in self.measures)

    @property
    def shares(self) -> tuple[float, ...]:
        """Weights normalised to a sum of 1, as they count when every measure has data."""
        total = sum(measure.weight for measure in self.measures)
        return tuple(measure.weight / total for measure in self.measures)

    def as_json(self) -> dict[str, Any]:
        """The stored form; `parse_definition` reads it back to an equal object."""
        return {
            "measures": [_measure_json(measure) for measure in self.measures],
            "exceptions": [{"metric": e.metric, "when": e.when, "cap": e.cap} for e in self.exceptions],
            "bands": {"yellow": self.bands.yellow, "green": self.bands.green},
        }


def _measure_json(measure: Measure) -> dict[str, Any]:
    return {
        "metric": measure.metric,
        "weight": measure.weight,
        "direction": measure.direction,
        "red": measure.red,
        "green": measure.green,
        "tenure_bands": [
            {"min_tenure_days": b.min_tenure_days, "red": b.red, "green": b.green}
            for b in measure.tenure_bands
        ],
        "missing": measure.missing,
        "half_life_days": measure.half_life_days,
    }
