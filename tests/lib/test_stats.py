"""Each figure against an independent computation."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_platform.lib import stats


def test_wilson_matches_published_example() -> None:
    found = stats.wilson_interval(81, 263)  # Newcombe 1998, table I
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


@pytest.mark.parametrize(("hits", "total"), [(0, 0), (0, 10), (10, 10)])
def test_wilson_stays_inside_at_the_edges(hits: int, total: int) -> None:
    found = stats.wilson_interval(hits, total)
    assert 0 <= found.low <= (hits / total if total else 0.5) <= found.high <= 1


def test_newcombe_matches_published_example() -> None:
    found = stats.rate_difference(56, 70, 48, 80)  # Newcombe 1998, table II (a)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=60))
def test_auc_equals_the_count_of_pairs(rows: list[tuple[bool, int]]) -> None:
    y = np.array([r[0] for r in rows])
    s = np.array([float(r[1]) for r in rows])
    found = stats.roc_auc(y, s)
    if y.all() or not y.any():
        assert math.isnan(found.value)
        return
    gap = s[y][:, None] - s[~y][None, :]
    assert found.value == pytest.approx(((gap > 0) + 0.5 * (gap == 0)).mean())
    assert found.low <= found.value <= found.high


def test_auc_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(7)
    truth = 0.7602  # P(N(1,1) > N(0,1)) = Phi(1 / sqrt 2)
    inside = 0
    for _ in range(300):
        y = np.arange(150) < 50
        found = stats.roc_auc(y, rng.normal(size=150) + y)
        inside += found.low <= truth <= found.high
    assert 0.90 <= inside / 300 <= 0.985


def test_auc_interval_ignores_copied_rows() -> None:
    rng = np.random.default_rng(1)
    y, s, ids = np.arange(80) < 30, rng.normal(size=80), np.arange(80)
    once = stats.roc_auc(y, s)
    copied = stats.roc_auc(np.tile(y, 9), np.tile(s, 9), clusters=np.tile(ids, 9))
    assert copied.high - copied.low == pytest.approx(once.high - once.low, rel=0.05)


def test_ranking_figures_match_sklearn() -> None:
    from sklearn import metrics

    rng = np.random.default_rng(3)
    y = rng.random(500) < 0.3
    p = np.clip(np.round(rng.random(500) * 0.6 + y * 0.3, 2), 0, 1)
    assert stats.average_precision(y, p) == pytest.approx(metrics.average_precision_score(y, p))
    assert stats.roc_auc(y, p).value == pytest.approx(metrics.roc_auc_score(y, p))
    assert stats.brier_score(y, p) == pytest.approx(metrics.brier_score_loss(y, p))


def test_lift_counts_ties_in_part() -> None:
    assert stats.top_lift([1, 0, 0, 0, 0, 0, 0, 0, 0, 1], np.zeros(10)) == pytest.approx(1.0)
    assert stats.top_lift([1] + [0] * 9, np.arange(10, 0, -1)) == pytest.approx(10.0)


def test_calibration_error_of_honest_and_of_shifted_probabilities() -> None:
    rng = np.random.default_rng(5)
    p = rng.random(20_000)
    y = rng.random(20_000) < p
    assert stats.expected_calibration_error(y, p) < 0.02
    assert stats.expected_calibration_error(y, np.clip(p + 0.1, 0, 1)) == pytest.approx(0.1, abs=0.02)
    bins = stats.calibration_bins(y, p)
    assert len(bins) == 10
    assert sum(b.rows for b in bins) == 20_000
    assert all(b.low <= b.observed <= b.high for b in bins)


def test_stability_sees_a_shift_and_missing_values() -> None:
    rng = np.random.default_rng(2)
    before = rng.normal(size=5_000)
    assert stats.population_stability(before, rng.normal(size=5_000)) < 0.02
    assert stats.population_stability(before, rng.normal(1, 1, size=5_000)) > 0.25
    gone = np.where(rng.random(5_000) < 0.3, np.nan, before)
    assert stats.population_stability(before, gone) > 0.25


def test_a_rate_costs_no_numpy() -> None:
    code = (
        "import sys; from cs_platform.lib.stats import wilson_interval; wilson_interval(1, 2);"
        "sys.exit('numpy' in sys.modules or 'scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
