"""Weighted mean of judged metrics over many accounts at once.

Score = sum(weight x points) / sum(weight) over the measures that have data, then capped by exceptions.
All results are rounded to multiples of 2**-20 points (about a millionth): sums and differences of such
numbers are exact in binary floating point, so that parts add up to the whole without a remainder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from health.scoring.definition import Measure, ScorecardDefinition

Floats = NDArray[np.float64]

GRID = 2.0**20
# After five half-lives a value carries 3 % of its weight: from there on it counts as missing.
EXPIRED_HALF_LIVES = 5.0
BAND_NAMES = ("", "red", "yellow", "green")


@dataclass(frozen=True, slots=True)
class MetricTable:
    """Values of K metrics for N accounts.

    `values` (N, K): last known value, nan where none was ever known. `ages` (N, K): days since that value
    was known, 0 = today; None = all of today. `tenure_days` (N,): age of the account, nan or None unknown.
    """

    metrics: tuple[str, ...]
    values: Floats
    ages: Floats | None = None
    tenure_days: Floats | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.metrics):
            raise ValueError(f"values must have shape (N, {len(self.metrics)}), not {self.values.shape}")
        if self.ages is not None and self.ages.shape != self.values.shape:
            raise ValueError(f"ages must have shape {self.values.shape}, not {self.ages.shape}")
        if self.tenure_days is not None and self.tenure_days.shape != self.values.shape[:1]:
            raise ValueError(f"tenure_days must have shape {self.values.shape[:1]}")

    @property
    def rows(self) -> int:
        """Number of accounts."""
        return int(self.values.shape[0])

    def column(self, metric: str) -> tuple[Floats, Floats]:
        """Values and ages of one metric; all missing where the table does not hold it."""
        if metric not in self.metrics:
            return np.full(self.rows, np.nan), np.zeros(self.rows)
        at = self.metrics.index(metric)
        ages = np.zeros(self.rows) if self.ages is None else self.ages[:, at]
        return self.values[:, at], ages


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Scores of N accounts under a scorecard with M measures; columns follow `definition.measures`.

    `points` (N, M): 0-100, nan without data. `weights` (N, M): share of the mean, rows sum to 1.
    `contributions` (N, M): points of the score; their row sum is `mean`. `exception` (N,): <= 0, what a
    cap took away. `score` (N,) = mean + exception, nan without any data. `coverage` (N,): 0-1, share of
    weight that had data. `exception_rule` (N,): index of the cap in force, -1 for none. `bands` (N,):
    index into BAND_NAMES.
    """

    points: Floats
    weights: Floats
    contributions: Floats
    mean: Floats
    exception: Floats
    exception_rule: NDArray[np.int64]
    score: Floats
    coverage: Floats
    bands: NDArray[np.int8]

    def band_name(self, row: int) -> str:
        """Band of one account; empty where it has no score."""
        return BAND_NAMES[int(self.bands[row])]


@dataclass(frozen=True, slots=True)
class Part:
    """One line of an account's explanation; the contributions of all parts sum to the score.

    `kind` "measure" or "exception" (a cap: `value`, `points` and `weight` are None, contribution <= 0).
    `state`: red / yellow / green by the measure's own thresholds, "missing" or "capped".
    """

    kind: str
    metric: str
    value: float | None
    age_days: float | None
    points: float | None
    weight: float | None
    contribution: float
    state: str


def score_accounts(definition: ScorecardDefinition, table: MetricTable) -> ScoreTable:
    """Score every row of the table."""
    judged = [_judge(measure, table) for measure in definition.measures]
    points = np.column_stack([points for points, _ in judged]) if judged else np.zeros((table.rows, 0))
    fresh = np.column_stack([share for _, share in judged]) if judged else np.zeros((table.rows, 0))
    nominal = np.array([measure.weight for measure in definition.measures], dtype=float)
    counts = np.where(np.isnan(points), 0.0, np.where(fresh > 0, fresh, 1.0)) * nominal
    total = counts.sum(axis=1)
    scored = total > 0
    weights = np.divide(counts, total[:, None], out=np.zeros_like(counts), where=scored[:, None])
    raw = weights * np.nan_to_num(points)
    mean = np.where(scored, to_grid(raw.sum(axis=1)), np.nan)
    cap, rule = _caps(definition, points)
    capped = scored & (cap < mean)
    score = np.where(capped, cap, mean)
    return ScoreTable(
        points=points,
        weights=weights,
        contributions=_exact_parts(raw, mean),
        mean=mean,
        exception=np.where(capped, score - mean, 0.0),
        exception_rule=np.where(capped, rule, -1),
        score=score,
        coverage=(fresh * nominal).sum(axis=1) / nominal.sum(),
        bands=_band_codes(definition, score),
    )


def to_grid(values: Any) -> Any:
    """Round to the grid on which sums are exact."""
    return np.round(np.asarray(values, dtype=float) * GRID) / GRID


def _judge(measure: Measure, table: MetricTable) -> tuple[Floats, Floats]:
    """Points (nan = leaves the mean) and freshness 0-1 (share of its weight that counts as data)."""
    values, ages = table.column(measure.metric)
    red, green = _thresholds(measure, table)
    points = np.clip((values - red) / (green - red), 0.0, 1.0) * 100.0
    known = ~np.isnan(values)
    if measure.missing == "decay":
        half_lives = np.maximum(np.nan_to_num(ages, nan=np.inf), 0.0) / measure.half_life_days
        known &= half_lives <= EXPIRED_HALF_LIVES
        fresh = np.where(known, 0.5**half_lives, 0.0)
    else:
        known &= ~(ages > 0)
        fresh = known.astype(float)
    instead = 0.0 if measure.missing == "poor" else np.nan
    return np.where(known, points, instead), fresh


def _thresholds(measure: Measure, table: MetricTable) -> tuple[Any, Any]:
    if not measure.tenure_bands or table.tenure_days is None:
        return measure.red, measure.green
    red = np.full(table.rows, measure.red)
    green = np.full(table.rows, measure.green)
    for band in measure.tenure_bands:  # sorted by tenure, so the last match wins
        reached = table.tenure_days >= band.min_tenure_days
        red[reached], green[reached] = band.red, band.green
    return red, green


def _caps(definition: ScorecardDefinition, points: Floats) -> tuple[Floats, NDArray[np.int64]]:
    cap = np.full(points.shape[0], np.inf)
    rule = np.full(points.shape[0], -1, dtype=np.int64)
    for at, exception in enumerate(definition.exceptions):
        column = points[:, definition.metrics.index(exception.metric)]
        hit = column <= 0.0 if exception.when == "red" else column < 100.0
        lower = hit & (exception.cap < cap)
        cap[lower], rule[lower] = to_grid(exception.cap), at
    return cap, rule


def _exact_parts(raw: Floats, mean: Floats) -> Floats:
    """Contributions on the grid; the largest takes the rounding remainder, so that rows sum to the mean."""
    parts: Floats = to_grid(raw)
    if parts.shape[1]:
        remainder = np.nan_to_num(mean - parts.sum(axis=1))
        largest = raw.argmax(axis=1)
        parts[np.arange(parts.shape[0]), largest] += remainder
    return parts


def _band_codes(definition: ScorecardDefinition, score: Floats) -> NDArray[np.int8]:
    bands = definition.bands
    codes = 1 + (score >= bands.yellow).astype(np.int8) + (score >= bands.green).astype(np.int8)
    return np.where(np.isnan(score), 0, codes).astype(np.int8)


def display_parts(
    definition: ScorecardDefinition, table: MetricTable, scores: ScoreTable, row: int
) -> list[Part]:
    """The lines that explain one account's score, largest loss first is left to the page."""
    parts = [_measure_part(measure, table, scores, row, at) for at, measure in enumerate(definition.measures)]
    rule = int(scores.exception_rule[row])
    if rule >= 0:
        metric = definition.exceptions[rule].metric
        cut = float(scores.exception[row])
        parts.append(Part("exception", metric, None, None, None, None, cut, "capped"))
    return parts


def _measure_part(measure: Measure, table: MetricTable, scores: ScoreTable, row: int, at: int) -> Part:
    values, ages = table.column(measure.metric)
    points = float(scores.points[row, at])
    known = not np.isnan(values[row])
    return Part(
        kind="measure",
        metric=measure.metric,
        value=float(values[row]) if known else None,
        age_days=float(ages[row]) if known else None,
        points=None if np.isnan(points) else points,
        weight=float(scores.weights[row, at]),
        contribution=float(scores.contributions[row, at]),
        state=measure_state(points),
    )


def measure_state(points: float) -> str:
    """Colour of one measure by its own thresholds: 0 points red, 100 green, between yellow."""
    if np.isnan(points):
        return "missing"
    return "red" if points <= 0 else "green" if points >= 100 else "yellow"
