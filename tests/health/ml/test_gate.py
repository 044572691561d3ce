"""Each way a candidate can fail, alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cs_platform.lib.stats import RocAuc
from health.ml.baselines import Baseline
from health.ml.evaluate import Judgement, boosting_is_better, gate
from health.ml.record import SENTENCES


def judged(low: float = 0.6, brier: float = 0.10) -> Judgement:
    nothing = np.zeros(0)
    return Judgement(
        rows=nothing.astype(np.int64),
        probability=nothing,
        auc=RocAuc(0.7, low, 0.8, 100, 900),
        average_precision=0.3,
        top_decile_lift=2.0,
        brier_score=brier,
        ece=0.01,
        bins=[],
        by_kind={},
    )


def baseline(gain: float = 0.1, brier: float = 0.12) -> Baseline:
    return Baseline(np.zeros(0), 0.7 - gain, 0.2, brier, gain, 0.02)


ALL_BEATEN = {name: baseline() for name in ("constant", "health_score", "days_to_renewal", "tenure_days")}


@pytest.mark.parametrize(
    ("judgement", "change", "code"),
    [
        (judged(), {}, "live"),
        (judged(low=0.5), {}, "no_better_than_chance"),
        (judged(low=math.nan), {}, "no_better_than_chance"),
        (judged(brier=0.12), {}, "loses_to_constant"),
        (judged(), {"health_score": baseline(gain=0.019)}, "loses_to_health_score"),
        (judged(), {"days_to_renewal": baseline(gain=-0.1)}, "loses_to_days_to_renewal"),
        (judged(), {"tenure_days": baseline(gain=math.nan)}, "loses_to_tenure_days"),
        (judged(), {"health_score": None, "days_to_renewal": None, "tenure_days": None}, "live"),
    ],
)
def test_the_gate(judgement: Judgement, change: dict[str, Any], code: str) -> None:
    reason = gate(judgement, ALL_BEATEN | change)
    assert reason.code == code
    assert "{" not in reason.sentence


def test_every_reason_has_a_sentence() -> None:
    assert {f"loses_to_{name}" for name in ALL_BEATEN} | {"live", "too_few_churned"} <= SENTENCES.keys()


def test_boosting_must_be_clearly_better() -> None:
    simple = np.array([0.70, 0.72, 0.68, 0.71])  # deviation 0.017
    assert not boosting_is_better(simple, simple + 0.015)
    assert boosting_is_better(simple, simple + 0.02)
