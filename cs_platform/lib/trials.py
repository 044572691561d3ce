"""Randomised comparisons that are looked at every day: intervals, verdicts and sample sizes.

Rates are in [0, 1], differences are treatment minus control. An experiment has a planned size. Before it
is reached, intervals are widened by the boundary of O'Brien and Fleming, so that somebody who looks every
day and stops at the first difference is wrong no more often than stated (proof by simulation in
`tests/lib/test_trials.py`). Pooled views have no end; theirs is a confidence sequence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from cs_platform.lib.stats import Interval

ALPHA, POWER = 0.05, 0.80
# Where a confidence sequence is tightest: m solves the trade-off of early against late looks at 5 %.
_TIGHTEST = 8.2
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Table:
    """Successes and totals of both arms in one stratum."""

    treated_hits: float
    treated: float
    control_hits: float
    control: float


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
    """How many standard errors from zero count as a difference, looking at any time up to the plan's end.

    `information` is the share of the plan that is settled, in (0, 1]. The two-sided test of O'Brien and
    Fleming 1979 (Biometrics 35) for continuous looks: by the reflection principle a Brownian motion leaves
    +-c before time 1 with probability at most 4 (1 - Phi(c)), so c = Phi^-1(1 - alpha / 4), and at time t
    the estimate is c / sqrt(t) errors away (Lan & DeMets 1983, Biometrika 70; the intervals are the
    repeated confidence intervals of Jennison & Turnbull 1989, JRSS B 51). 2.24 at the end against 1.96.
    """
    return _NORMAL.inv_cdf(1 - alpha / 4) / math.sqrt(min(max(information, 1e-6), 1.0))


def sequence_width(ratio: float, alpha: float = ALPHA) -> float:
    """Standard errors of a confidence sequence without an end; `ratio` = information / where it is tightest.

    Robbins' normal mixture (1970, Ann. Math. Stat. 41) as the asymptotic confidence sequence of
    Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024 (Ann. Stat. 52), theorem 2.2.
    """
    m = _TIGHTEST * max(ratio, 1e-6)
    return math.sqrt((m + 1) / m * math.log((m + 1) / alpha**2))


def pooled_difference(tables: Iterable[Table], width: float) -> Estimate | None:
    """Mantel-Haenszel difference in rates over strata; None while an arm is empty.

    Weights: Greenland & Robins 1985 (Biometrics 41). Variance: Sato 1989 (Biometrics 45), right for few
    large and for many sparse strata. One success and one failure are added to each arm, spread over the
    strata by size (Agresti & Caffo 2000, Am. Stat. 54), so that an empty cell is not taken for certainty.
    """
    rows = [t for t in tables if t.treated > 0 and t.control > 0]
    size = sum(t.treated + t.control for t in rows)
    if not size:
        return None
    weight = top = first = second = 0.0
    for t in rows:
        add = (t.treated + t.control) / size
        a, n1 = t.treated_hits + add, t.treated + 2 * add
        b, n0 = t.control_hits + add, t.control + 2 * add
        n = n1 + n0
        weight += n1 * n0 / n
        top += (a * n0 - b * n1) / n
        first += (n1**2 * b - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / n**2
        second += (a * (n0 - b) + b * (n1 - a)) / (2 * n)
    value = top / weight
    error = math.sqrt(max(value * first + second, 0.0)) / weight
    return Estimate(value, error, _around(value, error, width, -1.0, 1.0))


def ratio_difference(
    treated: Sequence[tuple[float, float]], control: Sequence[tuple[float, float]], width: float
) -> Estimate | None:
    """Difference of two ratios of sums, such as ARR after / ARR before; pairs are (before, after).

    Each ratio by Taylor linearisation (Cochran 1977, Sampling Techniques, 6.3), the difference by Welch's t
    with the same tail probability as `width` normal errors. None while an arm has fewer than two accounts
    with ARR.
    """
    arms = [_ratio(pairs) for pairs in (treated, control)]
    if arms[0] is None or arms[1] is None:
        return None
    (one, first, n), (other, second, k) = arms[0], arms[1]
    error = math.sqrt(first + second)
    freedom = (first + second) ** 2 / max(first**2 / (n - 1) + second**2 / (k - 1), 1e-300)
    return Estimate(
        one - other, error, _around(one - other, error, _t_width(width, freedom), -math.inf, math.inf)
    )


def _ratio(pairs: Sequence[tuple[float, float]]) -> tuple[float, float, int] | None:
    """(ratio, its variance, accounts) of those that had something before."""
    known = [(before, after) for before, after in pairs if before > 0]
    n, total = len(known), sum(before for before, _ in known)
    if n < 2:
        return None
    ratio = sum(after for _, after in known) / total
    squares = sum((after - ratio * before) ** 2 for before, after in known)
    return ratio, n / (n - 1) * squares / total**2, n


def _t_width(width: float, freedom: float) -> float:
    from scipy.stats import norm, t

    return float(-t.ppf(norm.sf(width), max(freedom, 1.0)))


def _around(value: float, error: float, width: float, low: float, high: float) -> Interval:
    return Interval(max(low, value - width * error), min(high, value + width * error))


def detectable(*, accounts: int, holdout_share: float, base_rate: float, alpha: float = ALPHA) -> float:
    """The smallest difference in rates that the plan shows with 80 % probability.

    Normal approximation at the base rate: (c + z_power) sqrt(p (1 - p) / (n h (1 - h))), with the same c as
    the boundary at the plan's end.
    """
    spread = base_rate * (1 - base_rate) / (accounts * holdout_share * (1 - holdout_share))
    return (boundary(1.0, alpha) + _NORMAL.inv_cdf(POWER)) * math.sqrt(spread)


def accounts_needed(
    *, difference: float, holdout_share: float, base_rate: float, alpha: float = ALPHA
) -> int:
    """How many accounts, both groups together, a plan needs to show `difference` with 80 % probability."""
    width = boundary(1.0, alpha) + _NORMAL.inv_cdf(POWER)
    spread = base_rate * (1 - base_rate) / (holdout_share * (1 - holdout_share))
    return math.ceil(width**2 * spread / difference**2)
