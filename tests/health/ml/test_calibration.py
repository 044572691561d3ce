"""Probabilities that can be taken at their word, also where there is little to learn from."""

from __future__ import annotations

import numpy as np
import pytest

from cs_platform.lib.stats import expected_calibration_error
from health.ml.calibration import learn_calibrator, log_odds, sigmoid


@pytest.mark.parametrize(("rows", "kind"), [(2_000, "platt"), (40_000, "isotonic")])
def test_a_distorted_decision_becomes_a_probability(rows: int, kind: str) -> None:
    rng = np.random.default_rng(0)
    truth = rng.beta(1, 12, 2 * rows)
    label = (rng.random(2 * rows) < truth).astype(np.int64)
    bent = np.sqrt(truth) * 4 if kind == "isotonic" else 2 * log_odds(truth) + 3
    found = learn_calibrator(bent[:rows], label[:rows])
    assert found.kind == kind
    assert expected_calibration_error(label[rows:], found.probability(bent[rows:])) < 0.015


def test_decisions_that_lie_close_together_do_not_explode() -> None:
    rng = np.random.default_rng(1)
    decision = rng.normal(-2, 0.02, 400)
    label = (rng.random(400) < sigmoid(-2 + 40 * (decision + 2))).astype(np.int64)
    later = learn_calibrator(decision, label).probability(decision + 0.5)
    assert later.max() < 0.4


def test_a_decision_that_points_the_wrong_way_gives_the_plain_rate() -> None:
    rng = np.random.default_rng(2)
    decision = rng.normal(0, 2, 2_000)
    label = (rng.random(2_000) < sigmoid(-decision - 2)).astype(np.int64)
    found = learn_calibrator(decision, label).probability(decision)
    assert found == pytest.approx(np.full(2_000, label.mean()), abs=1e-3)


def test_probability_is_never_certain() -> None:
    rng = np.random.default_rng(3)
    decision = rng.normal(0, 3, 5_000)
    label = (decision > 1).astype(np.int64)
    found = learn_calibrator(decision, label).probability(np.array([-1e6, 1e6]))
    assert 0 < found[0] < 0.01
    assert 0.99 < found[1] <= 1
