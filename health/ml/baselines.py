"""What a churn model must beat to be worth its complexity, judged on the same unseen rows.

- constant: the rate of churn in the training rows, for everybody;
- health_score: the score alone, through a curve of one variable;
- days_to_renewal: the rate of churn at that distance from the renewal, in ten steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cs_platform.lib.stats import average_precision, brier_score, quantile_edges, roc_auc
from health.ml.calibration import learn_calibrator
from health.ml.split import Fold
from health.ml.table import Floats, Ints, TrainingTable

NAMES = ("constant", "health_score", "days_to_renewal")
MIN_KNOWN_SHARE = 0.2
PRIOR_ROWS = 10.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """Figures of one baseline; None where it could not be computed (too few values)."""

    roc_auc: float
    average_precision: float
    brier_score: float

    def as_json(self) -> dict[str, float]:
        """Plain figures."""
        return {
            "roc_auc": self.roc_auc,
            "average_precision": self.average_precision,
            "brier_score": self.brier_score,
        }


def judge_baselines(table: TrainingTable, folds: tuple[Fold, ...]) -> dict[str, Baseline | None]:
    """Each baseline, learned on every fold's training rows and judged on its test rows."""
    tested = np.concatenate([fold.test for fold in folds])
    label = table.label[tested]
    found: dict[str, Baseline | None] = {}
    for name in NAMES:
        parts = [_predict(name, table.rows(fold.train), table.rows(fold.test)) for fold in folds]
        known = [part for part in parts if part is not None]
        found[name] = _judged(name, label, np.concatenate(known)) if len(known) == len(parts) else None
    return found


def _judged(name: str, label: Ints, probability: Floats) -> Baseline:
    # The constants of several folds differ a little, which is no ranking.
    auc = 0.5 if name == "constant" else roc_auc(label, probability).value
    return Baseline(auc, average_precision(label, probability), brier_score(label, probability))


def _predict(name: str, train: TrainingTable, test: TrainingTable) -> Floats | None:
    if name == "constant":
        return np.full(test.size, train.label.mean())
    known: Any = getattr(train, name)
    if known.size == 0 or np.isfinite(known).mean() < MIN_KNOWN_SHARE:
        return None
    return _by_score(train, test) if name == "health_score" else _by_renewal(train, test)


def _by_score(train: TrainingTable, test: TrainingTable) -> Floats:
    """A curve over the score; accounts without one get their own rate."""
    seen, unseen = np.isfinite(train.health_score), np.isfinite(test.health_score)
    found = np.full(test.size, _rate(train.label[~seen], train.label.mean()))
    curve = learn_calibrator(-(train.health_score[seen] - 50) / 25, train.label[seen])
    found[unseen] = curve.probability(-(test.health_score[unseen] - 50) / 25)
    return found


def _by_renewal(train: TrainingTable, test: TrainingTable) -> Floats:
    """Rate of churn per tenth of the days to renewal, missing days as a group of their own."""
    edges = quantile_edges(train.days_to_renewal)
    seen, unseen = _step(train.days_to_renewal, edges), _step(test.days_to_renewal, edges)
    overall = train.label.mean()
    rates = np.array([_rate(train.label[seen == at], overall) for at in range(edges.size + 2)])
    return rates[unseen]


def _step(values: Floats, edges: Floats) -> Ints:
    return np.where(np.isfinite(values), np.searchsorted(edges, values, side="left"), edges.size + 1)


def _rate(label: Ints, overall: float) -> float:
    """Observed rate, drawn towards the overall rate as if by ten more rows."""
    return float((label.sum() + PRIOR_ROWS * overall) / (label.size + PRIOR_ROWS))
