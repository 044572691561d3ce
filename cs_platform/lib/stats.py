"""Statistics of rates, rankings and probabilities, each with its source.

Arrays are one-dimensional and of equal length; labels are 0 or 1; probabilities lie in [0, 1].
numpy and scipy are imported inside the functions that need them, so that a web process which only
shows a rate with its interval does not pay for them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Interval:
    """Two-sided confidence interval."""

    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether the value lies outside the closed interval."""
        return value < self.low or value > self.high


@dataclass(frozen=True, slots=True)
class RocAuc:
    """Area under the ROC curve with its interval; nan when one class is empty."""

    value: float
    low: float
    high: float
    positives: int
    negatives: int


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One bin of predictions: mean predicted probability, observed rate with Wilson interval, rows."""

    predicted: float
    observed: float
    low: float
    high: float
    rows: int


def z_value(confidence: float = 0.95) -> float:
    """Two-sided quantile of the normal distribution."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson_interval(successes: float, total: float, confidence: float = 0.95) -> Interval:
    """Score interval of a rate; (0, 1) where nothing was counted. Source: Wilson 1927, JASA 22."""
    if total <= 0:
        return Interval(0.0, 1.0)
    z = z_value(confidence)
    rate = successes / total
    centre = (rate + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
    low = 0.0 if successes <= 0 else max(0.0, centre - half)
    high = 1.0 if successes >= total else min(1.0, centre + half)
    return Interval(low, high)


def rate_difference(
    treated: int, treated_total: int, control: int, control_total: int, confidence: float = 0.95
) -> Interval:
    """Interval of (treated rate - control rate). Source: Newcombe 1998, Stat. Med. 17, method 10."""
    if min(treated_total, control_total) <= 0:
        return Interval(-1.0, 1.0)
    first = wilson_interval(treated, treated_total, confidence)
    second = wilson_interval(control, control_total, confidence)
    p, q = treated / treated_total, control / control_total
    below = math.hypot(p - first.low, second.high - q)
    above = math.hypot(first.high - p, q - second.low)
    return Interval(p - q - below, p - q + above)


def roc_auc(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    confidence: float = 0.95,
) -> RocAuc:
    """Probability that a positive outranks a negative, ties counting half.

    Interval: DeLong, DeLong & Clarke-Pearson 1988 (Biometrics 44), by the mid-ranks of Sun & Xu 2014.
    With `clusters` (one id per row, such as the account) rows of one cluster may depend on each other:
    Obuchowski 1997 (Biometrics 53). With `strata` (one id per row, such as the day) only pairs of the same
    stratum are compared, and strata are weighted by m n / (m + n).
    """
    import numpy as np

    y, s = np.asarray(labels).astype(bool), np.asarray(scores, dtype=float)
    positives, negatives = int(y.sum()), int((~y).sum())
    groups = _groups(y, None if strata is None else np.asarray(strata))
    if not groups:
        return RocAuc(math.nan, math.nan, math.nan, positives, negatives)
    value, variance, influence = _weighted_auc(y, s, groups)
    if clusters is not None:
        variance = _clustered_variance(np.asarray(clusters), influence)
    half = z_value(confidence) * math.sqrt(max(variance, 0.0))
    return RocAuc(value, max(0.0, value - half), min(1.0, value + half), positives, negatives)


def roc_auc_gain(
    labels: ArrayLike,
    scores: ArrayLike,
    other: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> tuple[float, float]:
    """AUC of `scores` minus AUC of `other` on the same rows, and the standard error of that difference.

    Paired as in DeLong 1988; clusters and strata as in `roc_auc`. Both nan where one class is empty.
    """
    import numpy as np

    y = np.asarray(labels).astype(bool)
    groups = _groups(y, None if strata is None else np.asarray(strata))
    if not groups:
        return math.nan, math.nan
    first, _, own = _weighted_auc(y, np.asarray(scores, dtype=float), groups)
    second, _, others = _weighted_auc(y, np.asarray(other, dtype=float), groups)
    ids = np.arange(y.size) if clusters is None else np.asarray(clusters)
    return first - second, math.sqrt(_clustered_variance(ids, own - others))


def _weighted_auc(y: Floats, s: Floats, groups: list[Floats]) -> tuple[float, float, Floats]:
    """AUC over strata, its variance with independent rows, and each row's influence on it."""
    import numpy as np

    sizes = [(int(y[rows].sum()), int((~y[rows]).sum())) for rows in groups]
    weights = np.array([m * n / (m + n) for m, n in sizes])
    weights /= weights.sum()
    value, variance, influence = 0.0, 0.0, np.zeros(y.size)
    for rows, weight in zip(groups, weights.tolist(), strict=True):
        auc, own_variance, own_influence = _delong(y[rows], s[rows])
        value += weight * auc
        variance += weight**2 * own_variance
        influence[rows] = weight * own_influence
    return value, variance, influence


def _groups(y: Floats, strata: Floats | None) -> list[Floats]:
    """Row numbers of each stratum that has both classes."""
    import numpy as np

    if strata is None:
        parts = [np.arange(y.size)]
    else:
        order = np.argsort(strata, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(strata[order])) + 1)
    return [rows for rows in parts if y[rows].any() and not y[rows].all()]


def _delong(y: Floats, s: Floats) -> tuple[float, float, Floats]:
    """AUC, its variance with independent rows, and what each row adds to the estimate's error."""
    import numpy as np

    m, n = int(y.sum()), int((~y).sum())
    ranks = _mid_ranks(s)
    above = (ranks[y] - _mid_ranks(s[y])) / n
    below = 1 - (ranks[~y] - _mid_ranks(s[~y])) / m
    auc = float(above.mean())
    influence = np.zeros(y.size)
    influence[y] = (above - auc) / m
    influence[~y] = (below - auc) / n
    return auc, _variance(above) / m + _variance(below) / n, influence


def _variance(part: Floats) -> float:
    return float(part.var(ddof=1)) if part.size > 1 else 0.25


def _clustered_variance(clusters: Floats, influence: Floats) -> float:
    import numpy as np

    _, codes = np.unique(clusters, return_inverse=True)
    count = int(codes.max()) + 1
    if count < 2:
        return 0.25
    return float(count / (count - 1) * (np.bincount(codes, influence, minlength=count) ** 2).sum())


def _mid_ranks(values: Floats) -> Floats:
    import numpy as np

    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((last - (counts - 1) / 2.0)[codes]).astype(float)


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Sum of precision times gain in recall over the distinct scores; nan without positives."""
    import numpy as np

    y, s = np.asarray(labels, dtype=float), np.asarray(scores, dtype=float)
    if y.sum() == 0:
        return math.nan
    order = np.argsort(-s, kind="stable")
    y, s = y[order], s[order]
    ends = np.append(np.flatnonzero(np.diff(s)), s.size - 1)
    hits = np.cumsum(y)[ends]
    recall = hits / y.sum()
    return float((np.diff(recall, prepend=0.0) * hits / (ends + 1)).sum())


def top_lift(labels: ArrayLike, scores: ArrayLike, share: float = 0.1) -> float:
    """Rate among the highest-scored share divided by the rate of all; ties at the edge count in part."""
    import numpy as np

    y, s = np.asarray(labels, dtype=float), np.asarray(scores, dtype=float)
    if y.size == 0 or y.sum() == 0:
        return math.nan
    wanted = max(1, math.ceil(share * y.size - 1e-9))
    edge = np.sort(s)[-wanted]
    above, tied = s > edge, s == edge
    hits = y[above].sum() + y[tied].mean() * (wanted - above.sum())
    return float(hits / wanted / y.mean())


def brier_score(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean squared error of the probabilities. Source: Brier 1950."""
    import numpy as np

    y, p = np.asarray(labels, dtype=float), np.asarray(probabilities, dtype=float)
    return float(((p - y) ** 2).mean()) if y.size else math.nan


def calibration_bins(
    labels: ArrayLike, probabilities: ArrayLike, bins: int = 10, confidence: float = 0.95
) -> list[CalibrationBin]:
    """Predictions in bins of equal count, lowest first, each with the rate that was observed."""
    import numpy as np

    y, p = np.asarray(labels, dtype=float), np.asarray(probabilities, dtype=float)
    found = []
    for rows in np.array_split(np.argsort(p, kind="stable"), bins):
        if rows.size:
            wilson = wilson_interval(float(y[rows].sum()), rows.size, confidence)
            found.append(
                CalibrationBin(
                    float(p[rows].mean()), float(y[rows].mean()), wilson.low, wilson.high, int(rows.size)
                )
            )
    return found


def expected_calibration_error(labels: ArrayLike, probabilities: ArrayLike, bins: int = 10) -> float:
    """Mean distance of predicted and observed rate over bins of equal count, weighted by rows."""
    found = calibration_bins(labels, probabilities, bins)
    rows = sum(b.rows for b in found)
    return sum(abs(b.predicted - b.observed) * b.rows for b in found) / rows if rows else math.nan


def population_stability(expected: ArrayLike, actual: ArrayLike, bins: int = 10) -> float:
    """Drift of a value against its reference: sum of (a - e) ln(a / e) over quantile bins.

    Missing values are a bin of their own. By convention below 0.1 is stable, above 0.25 is a shift
    (Siddiqi 2006, Credit Risk Scorecards).
    """
    edges = quantile_edges(expected, bins)
    return stability_of_shares(bin_shares(expected, edges), bin_shares(actual, edges))


def quantile_edges(values: ArrayLike, bins: int = 10) -> Floats:
    """Inner edges of quantile bins; fewer where values repeat."""
    import numpy as np

    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    if known.size == 0:
        return np.zeros(0)
    return np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))


def bin_shares(values: ArrayLike, edges: ArrayLike) -> Floats:
    """Share of values per bin (left-open, right-closed), the share of missing values last."""
    import numpy as np

    v, e = np.asarray(values, dtype=float), np.asarray(edges, dtype=float)
    missing = np.isnan(v)
    place = np.where(missing, e.size + 1, np.searchsorted(e, v, side="left"))
    return np.bincount(place, minlength=e.size + 2) / max(v.size, 1)


def stability_of_shares(expected: ArrayLike, actual: ArrayLike, floor: float = 1e-4) -> float:
    """Population stability index of two aligned vectors of shares."""
    import numpy as np

    e = np.maximum(np.asarray(expected, dtype=float), floor)
    a = np.maximum(np.asarray(actual, dtype=float), floor)
    return float(((a - e) * np.log(a / e)).sum())
