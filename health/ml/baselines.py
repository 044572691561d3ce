"""What a churn model must beat to be worth its complexity, judged on the same unseen rows.

- constant: the rate of churn in the training rows, for everybody;
- health_score: the score alone, through a curve of one variable;
- days_to_renewal: the rate of churn at that distance from the renewal, in ten steps;
- tenure_days: the rate of churn at that age of the account, in ten steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cs_platform.lib.stats import average_precision, brier_score, quantile_edges, roc_auc, roc_auc_gain
from health.ml.calibration import learn_calibrator
from health.ml.split import Fold
from health.ml.table import Floats, Ints, TrainingTable

NAMES = ("constant", "health_score", "days_to_renewal", "tenure_days")
MIN_KNOWN_SHARE = 0.2
PRIOR_ROWS = 10.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """Figures of one baseline; `probability` follows the test rows of the folds.

    `gain` and `gain_error`: how much the model's AUC is above this one's, and its standard error.
    """

    probability: Floats
    roc_auc: float
    average_precision: float
    brier_score: float
    gain: float = math.nan
    gain_error: float = math.nan

    @property
    def beaten(self) -> bool:
        """Whether the model ranks better by more than one standard error of the difference."""
        return self.gain > self.gain_error

    def as_json(self) -> dict[str, float]:
        """Plain figures."""
        return {
            "roc_auc": self.roc_auc,
            "average_precision": self.average_precision,
            "brier_score": self.brier_score,
            "gain": self.gain,
            "gain_error": self.gain_error,
        }


def judge_baselines(
    table: TrainingTable, folds: tuple[Fold, ...], model: Floats
) -> dict[str, Baseline | None]:
    """Each baseline, learned on every fold's training rows and judged on its test rows.

    `model`: the candidate's probabilities of the same test rows. None = too few values to compute it.
    """
    tested = table.rows(np.concatenate([fold.test for fold in folds]))
    found: dict[str, Baseline | None] = {}
    for name in NAMES:
        parts = [_predict(name, table.rows(fold.train), table.rows(fold.test)) for fold in folds]
        known = [part for part in parts if part is not None]
        found[name] = None
        if len(known) == len(parts):
            found[name] = _judged(name, tested, np.concatenate(known), model)
    return found


def _judged(name: str, tested: TrainingTable, probability: Floats, model: Floats) -> Baseline:
    # The constants of several folds differ a little, which is no ranking.
    ranking = np.zeros(probability.size) if name == "constant" else probability
    label, clusters, strata = tested.label, tested.account_ids, tested.as_of
    gain, error = roc_auc_gain(label, model, ranking, clusters=clusters, strata=strata)
    return Baseline(
        probability,
        roc_auc(label, ranking, strata=strata).value,
        average_precision(label, probability),
        brier_score(label, probability),
        gain,
        error,
    )


def _predict(name: str, train: TrainingTable, test: TrainingTable) -> Floats | None:
    if name == "constant":
        return np.full(test.size, train.label.mean())
    known: Any = getattr(train, name)
    if known.size == 0 or np.isfinite(known).mean() < MIN_KNOWN_SHARE:
        return None
    if name == "health_score":
        return _by_score(train, test)
    return _by_days(known, getattr(test, name), train.label)


def _by_score(train: TrainingTable, test: TrainingTable) -> Floats:
    """A curve over the score; accounts without one get their own rate."""
    seen, unseen = np.isfinite(train.health_score), np.isfinite(test.health_score)
    found = np.full(test.size, _rate(train.label[~seen], train.label.mean()))
    curve = learn_calibrator(-(train.health_score[seen] - 50) / 25, train.label[seen])
    found[unseen] = curve.probability(-(test.health_score[unseen] - 50) / 25)
    return found


def _by_days(seen: Floats, unseen: Floats, label: Ints) -> Floats:
    """Rate of churn per tenth of the days, missing days as a group of their own."""
    edges = quantile_edges(seen)
    step, overall = _step(seen, edges), float(label.mean())
    rates = np.array([_rate(label[step == at], overall) for at in range(edges.size + 2)])
    return rates[_step(unseen, edges)]


def _step(values: Floats, edges: Floats) -> Ints:
    return np.where(np.isfinite(values), np.searchsorted(edges, values, side="left"), edges.size + 1)


def _rate(label: Ints, overall: float) -> float:
    """Observed rate, drawn towards the overall rate as if by ten more rows."""
    return float((label.sum() + PRIOR_ROWS * overall) / (label.size + PRIOR_ROWS))
