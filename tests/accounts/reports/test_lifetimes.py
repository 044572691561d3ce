"""The survival curve against a hand calculation, and cohorts."""

import numpy as np
import pytest

from accounts.revenue.lifetimes import DAY, half_life, survival


def test_the_curve_is_kaplan_and_meiers():
    """Freireich's remission times of 21 patients under 6-MP (weeks), as in Kalbfleisch & Prentice: S(10) = 0.753."""
    weeks = np.array([6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35])
    ended = np.array([1] * 9 + [0] * 12)
    found = {p.months: p for p in survival((weeks * 7 * DAY).astype(np.int64), ended)}
    ten_weeks = found[2]  # 60.9 days: after the ends at 6 and 7 weeks
    assert ten_weeks.share == pytest.approx(0.807, abs=0.001)
    assert ten_weeks.low < ten_weeks.share < ten_weeks.high
    assert found[3].share == pytest.approx(0.690, abs=0.001)  # 91.3 days: after 13 weeks
    assert found[3].at_risk == 11
    assert half_life(list(found.values())) is None


def test_who_is_still_there_does_not_count_as_staying_for_ever():
    lengths = np.array([10 * DAY] * 5 + [400 * DAY] * 15, dtype=np.int64)
    ended = np.array([0] * 5 + [1] * 15)
    found = survival(lengths, ended)
    assert found[0].at_risk == 20 and found[12].at_risk == 15
    assert found[12].share == 1.0


def test_nothing_gives_nothing():
    assert survival(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)) == []
