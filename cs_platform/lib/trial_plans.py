"""What a holdout test of a given size can show, said before it starts."""

from __future__ import annotations

import math
from statistics import NormalDist

from cs_platform.lib.trials import ALPHA, POWER, boundary, small_sample


def detectable(*, accounts: int, holdout_share: float, base_rate: float, alpha: float = ALPHA) -> float:
    """The smallest gain in a rate that a plan of so many accounts shows with 80 % probability.

    Solves d = (c + z) SE(d): c is the boundary at the plan's end for so small a holdout, SE that of the
    difference with the holdout at the base rate and the treated at base + d. May be larger than any gain
    that is possible (1 - base rate): then the plan is too small to show anything good.
    """
    held_out = accounts * holdout_share
    width = float(small_sample(boundary(1.0, alpha), held_out)) + NormalDist().inv_cdf(POWER)
    # The added success and failure (Agresti & Caffo) move the small arm towards one half.
    moved = (2 * base_rate - 1) / (held_out + 2)
    gain = 0.0
    for _ in range(50):
        spread = _spread(base_rate) / held_out + _spread(base_rate + gain) / (accounts - held_out)
        gain = max(width * math.sqrt(spread) - moved, 0.0)
    return min(gain, 1.0)


def accounts_needed(*, gain: float, holdout_share: float, base_rate: float) -> int:
    """The smallest plan, both groups together, that shows `gain` with 80 % probability."""
    low, high = 1, 20
    while detectable(accounts=high, holdout_share=holdout_share, base_rate=base_rate) > gain:
        low, high = high, high * 2
        if high > 50_000_000:
            return high
    while high - low > 1:
        middle = (low + high) // 2
        if detectable(accounts=middle, holdout_share=holdout_share, base_rate=base_rate) > gain:
            low = middle
        else:
            high = middle
    return high


def _spread(rate: float) -> float:
    inside = min(max(rate, 0.0), 1.0)
    return inside * (1 - inside)
