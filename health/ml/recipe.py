"""One way of learning a model from rows: encode, fit, calibrate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from health.ml.calibration import Calibrator, learn_calibrator, log_odds, sigmoid
from health.ml.features import Encoder, learn_encoder
from health.ml.models import (
    PENALTIES,
    Boosted,
    Logistic,
    learn_boosted,
    learn_logistic,
)
from health.ml.split import FOLDS, Fold, SplitKind, account_folds, newest_fold
from health.ml.table import FeatureMatrix, Floats, Ints, TrainingTable

Algorithm = Literal["logistic", "boosting"]

TUNING_ROWS = 20_000
TUNING_FOLDS = 3
PLENTY_CHURNED = 5_000


@dataclass(frozen=True, slots=True)
class Uncalibrated:
    """Encoder and scorer, learned together."""

    encoder: Encoder
    scorer: Logistic | Boosted

    def columns(self, matrix: FeatureMatrix) -> Floats:
        """What the scorer reads (N, P)."""
        encoder = self.encoder
        return encoder.linear(matrix) if isinstance(self.scorer, Logistic) else encoder.trees(matrix)

    @property
    def groups(self) -> Ints:
        """Feature number of each of these columns."""
        if isinstance(self.scorer, Logistic):
            return self.encoder.groups
        return np.array([column.feature for column in self.encoder.tree_columns], dtype=np.int64)

    def decision(self, matrix: FeatureMatrix) -> Floats:
        """Log-odds (N,)."""
        return self.scorer.decision(self.columns(matrix))


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which algorithm, how strongly penalised (scikit-learn's C), and how the data are split."""

    algorithm: Algorithm
    split: SplitKind
    penalty: float = PENALTIES[2]
    seed: int = 0


def fit(recipe: Recipe, table: TrainingTable) -> Uncalibrated:
    """Learn encoder and scorer from all rows of the table."""
    encoder, _ = learn_encoder(table.features)
    if recipe.algorithm == "logistic":
        return Uncalibrated(
            encoder, learn_logistic(encoder.linear(table.features), table.label, recipe.penalty)
        )
    return Uncalibrated(encoder, learn_boosted(encoder.trees(table.features), table.label, recipe.seed))


def fit_calibrated(recipe: Recipe, table: TrainingTable) -> tuple[Uncalibrated, Calibrator]:
    """Learn from all rows; the calibrator from rows that its model had not seen.

    Those are the newest matured window under a time split (with the embargo before it), otherwise each
    account by a model without it. The model is then learned again from all rows.
    """
    newest = newest_fold(table) if recipe.split == "time_embargo" else None
    folds = (newest,) if newest else _calibration_folds(table, recipe.seed + 1)
    decision, rows = unseen_decisions(recipe, table, folds)
    return fit(recipe, table), learn_calibrator(decision, table.label[rows], recipe.seed)


def _calibration_folds(table: TrainingTable, seed: int) -> tuple[Fold, ...]:
    """Every account in turn; where many churned, one fifth of them already says enough."""
    folds = account_folds(table, FOLDS, seed)
    return folds[:1] if table.churned_accounts >= PLENTY_CHURNED else folds


def unseen_decisions(recipe: Recipe, table: TrainingTable, folds: tuple[Fold, ...]) -> tuple[Floats, Ints]:
    """Decision of each fold's test rows by a model of its training rows, and those rows."""
    found = [fit(recipe, table.rows(fold.train)).decision(table.features.rows(fold.test)) for fold in folds]
    return np.concatenate(found), np.concatenate([fold.test for fold in folds])


def tune_penalty(table: TrainingTable, seed: int = 0) -> float:
    """The penalty with the smallest log loss on accounts it has not seen."""
    rng = np.random.default_rng(seed)
    if table.size > TUNING_ROWS:
        table = table.rows(np.sort(rng.choice(table.size, TUNING_ROWS, replace=False)))
    losses = np.zeros(len(PENALTIES))
    for fold in account_folds(table, TUNING_FOLDS, seed):
        train, test = table.rows(fold.train), table.rows(fold.test)
        if min(train.label.sum(), train.size - train.label.sum()) == 0:
            continue
        encoder, _ = learn_encoder(train.features)
        seen, unseen = encoder.linear(train.features), encoder.linear(test.features)
        for at, penalty in enumerate(PENALTIES):
            found = sigmoid(learn_logistic(seen, train.label, penalty).decision(unseen))
            losses[at] -= float((log_odds(found) * test.label + np.log1p(-np.minimum(found, 1 - 1e-9))).sum())
    return PENALTIES[int(losses.argmin())]
