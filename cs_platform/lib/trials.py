"""Randomised comparisons that are looked at every day: differences with intervals, and sample sizes.

Rates are in [0, 1], differences are treatment minus control. An experiment has a planned size. Before it
is reached, intervals are widened by the boundary of O'Brien and Fleming, so that somebody who looks every
day and stops at the first difference is wrong no more often than stated. Views without a planned end have
a confidence sequence instead. Proof of both by simulation: `tests/lib/test_trials.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from cs_platform.lib.stats import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[Any]

ALPHA, POWER = 0.05, 0.80
# Fewer held-out accounts than this decide nothing: normal errors do not hold there.
MIN_CONTROL = 10
# Information at which the mixture below is tightest, in units of its own variance (alpha 5 %).
_TIGHTEST = 8.2
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Table:
    """Successes and totals of both arms in one stratum."""

    treated_hits: int
    treated: int
    control_hits: int
    control: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference with its standard error and the interval it is shown with."""

    value: float
    error: float
    interval: Interval

    @property
    def is_decided(self) -> bool:
        return self.interval.excludes(0.0)


def boundary(information: float, alpha: float = ALPHA) -> float:
    """How many standard errors from zero are a difference, looking at any time up to the plan's end.

    `information` is the share of the plan that is settled, in (0, 1]. The two-sided test of O'Brien and
    Fleming 1979 (Biometrics 35) for continuous looks: by the reflection principle a Brownian motion leaves
    +-c before time 1 with probability at most 4 (1 - Phi(c)), so c = Phi^-1(1 - alpha / 4), and at time t
    the estimate must be c / sqrt(t) errors away (Lan & DeMets 1983, Biometrika 70). The intervals are the
    repeated confidence intervals of Jennison & Turnbull 1989 (JRSS B 51). 2.24 at the end, against 1.96.
    """
    return _NORMAL.inv_cdf(1 - alpha / 4) / math.sqrt(min(max(information, 1e-6), 1.0))


def sequence_width(ratio: float, alpha: float = ALPHA) -> float:
    """Standard errors of a confidence sequence without an end; `ratio` = information / where it is tightest.

    Robbins' normal mixture (1970, Ann. Math. Stat. 41) as the asymptotic confidence sequence of
    Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024 (Ann. Stat. 52), theorem 2.2. 3.03 at its best.
    """
    m = _TIGHTEST * max(ratio, 1e-6)
    return math.sqrt((m + 1) / m * math.log((m + 1) / alpha**2))


def small_sample(width: ArrayLike, smaller_arm: ArrayLike) -> Floats:
    """`width` normal errors as errors of Student's t with the freedom of the smaller arm."""
    import numpy as np
    from scipy.stats import norm, t

    freedom = np.maximum(np.asarray(smaller_arm, dtype=float) - 1, 1.0)
    return np.asarray(-t.ppf(norm.sf(width), freedom))


def rate_lift(tables: Sequence[Table], width: float) -> Estimate | None:
    """Difference in rates, pooled over strata; None while fewer than MIN_CONTROL are in an arm."""
    treated, control = sum(t.treated for t in tables), sum(t.control for t in tables)
    if min(treated, control) < MIN_CONTROL or not any(t.treated and t.control for t in tables):
        return None
    columns = zip(*((t.treated_hits, t.treated, t.control_hits, t.control) for t in tables), strict=True)
    value, error = (float(x) for x in mantel_haenszel(*columns))
    return _estimate(value, error, width, min(treated, control), (-1.0, 1.0))


def mantel_haenszel(
    treated_hits: ArrayLike, treated: ArrayLike, control_hits: ArrayLike, control: ArrayLike
) -> tuple[Floats, Floats]:
    """Difference in rates and its standard error over the strata on the last axis.

    Weights: Greenland & Robins 1985 (Biometrics 41). Variance: Sato 1989 (Biometrics 45), right for few
    large and for many sparse strata. One success and one failure are added to each arm, spread over the
    strata by size (Agresti & Caffo 2000, Am. Stat. 54), so that an empty cell is not taken for certainty.
    A stratum with an empty arm says nothing; nan where all are so.
    """
    import numpy as np

    a, n1, b, n0 = (np.asarray(x, dtype=float) for x in (treated_hits, treated, control_hits, control))
    counts = (n1 > 0) & (n0 > 0)
    size = np.where(counts, n1 + n0, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        add = size / size.sum(axis=-1, keepdims=True)
        a, b, n1, n0 = (np.where(counts, x + k * add, 1.0) for x, k in ((a, 1), (b, 1), (n1, 2), (n0, 2)))
        n = n1 + n0
        top, weight = (a * n0 - b * n1) / n, n1 * n0 / n
        first = (n1**2 * b - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / n**2
        second = (a * (n0 - b) + b * (n1 - a)) / (2 * n)
        top, weight, first, second = (
            np.where(counts, x, 0.0).sum(axis=-1) for x in (top, weight, first, second)
        )
        value = top / weight
        return value, np.sqrt(np.maximum(value * first + second, 0.0)) / weight


@dataclass(frozen=True, slots=True)
class Sums:
    """Of the accounts of one arm that had something before: how many, and sums of before and after."""

    number: ArrayLike
    before: ArrayLike
    after: ArrayLike
    before_squared: ArrayLike
    product: ArrayLike
    after_squared: ArrayLike


def ratio_lift(treated: Sums, control: Sums, width: float) -> Estimate | None:
    """Difference of sum(after) / sum(before), such as ARR kept; None while an arm is too small."""
    smaller = float(min(_columns(treated)[0], _columns(control)[0]))
    if smaller < MIN_CONTROL:
        return None
    value, error = (float(x) for x in ratio_difference(treated, control))
    return _estimate(value, error, width, smaller, (-math.inf, math.inf))


def ratio_difference(treated: Sums, control: Sums) -> tuple[Floats, Floats]:
    """Difference of two ratios of sums and its standard error, element by element.

    Ratio estimator by Taylor linearisation (Cochran 1977, Sampling Techniques, 6.3). The spread of the
    residuals is taken from both arms together: from a small arm of skewed amounts alone it comes out too
    low just when the mean does (simulated: up to 16 % false positives in place of 5 %).
    """
    import numpy as np

    (n1, b1, a1, *rest1), (n0, b0, a0, *rest0) = _columns(treated), _columns(control)
    n, b, a, bb, ab, aa = (x + y for x, y in zip((n1, b1, a1, *rest1), (n0, b0, a0, *rest0), strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = a / b
        spread = np.maximum(aa - 2 * ratio * ab + ratio**2 * bb, 0.0) / (n - 1)
        return a1 / b1 - a0 / b0, np.sqrt(spread * (n1 / b1**2 + n0 / b0**2))


def _columns(sums: Sums) -> list[Floats]:
    import numpy as np

    columns = (sums.number, sums.before, sums.after, sums.before_squared, sums.product, sums.after_squared)
    return [np.asarray(x, dtype=float) for x in columns]


def _estimate(
    value: float, error: float, width: float, smaller_arm: float, limits: tuple[float, float]
) -> Estimate:
    reach = float(small_sample(width, smaller_arm)) * error
    return Estimate(value, error, Interval(max(limits[0], value - reach), min(limits[1], value + reach)))
