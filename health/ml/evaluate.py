"""How good a recipe is on rows it has not seen, and whether that is good enough to go live."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cs_platform.lib.stats import (
    CalibrationBin,
    RocAuc,
    average_precision,
    brier_score,
    calibration_bins,
    expected_calibration_error,
    roc_auc,
    top_lift,
)
from health.ml.baselines import Baseline
from health.ml.recipe import Recipe, fit_calibrated, unseen_decisions
from health.ml.record import Reason
from health.ml.split import Fold, Split
from health.ml.table import INVOLUNTARY, VOLUNTARY, Floats, Ints, TrainingTable

MIN_CHURNED_ACCOUNTS = 50


@dataclass(frozen=True, slots=True)
class Judgement:
    """Figures over all test rows of the split; `rows` index the table, `probability` follows them.

    AUCs compare accounts of the same day, as the queue does: a model earns nothing for knowing that more
    accounts churn this month than last.
    """

    rows: Ints
    probability: Floats
    auc: RocAuc
    average_precision: float
    top_decile_lift: float
    brier_score: float
    ece: float
    bins: list[CalibrationBin]
    by_kind: dict[str, RocAuc]


def judge(recipe: Recipe, table: TrainingTable, split: Split) -> Judgement:
    """Learn on each fold's training rows, calibration included, and predict its test rows."""
    parts = []
    for fold in split.folds:
        model, calibrator = fit_calibrated(recipe, table.rows(fold.train))
        parts.append(calibrator.probability(model.decision(table.features.rows(fold.test))))
    rows, probability = np.concatenate([fold.test for fold in split.folds]), np.concatenate(parts)
    label, accounts, days = table.label[rows], table.account_ids[rows], table.as_of[rows]
    return Judgement(
        rows=rows,
        probability=probability,
        auc=roc_auc(label, probability, clusters=accounts, strata=days),
        average_precision=average_precision(label, probability),
        top_decile_lift=top_lift(label, probability),
        brier_score=brier_score(label, probability),
        ece=expected_calibration_error(label, probability),
        bins=calibration_bins(label, probability),
        by_kind=_by_kind(table, rows, probability),
    )


def _by_kind(table: TrainingTable, rows: Ints, probability: Floats) -> dict[str, RocAuc]:
    """Each kind of churn against those who stayed."""
    part = table.rows(rows)
    found = {}
    for name, code in (("voluntary", VOLUNTARY), ("involuntary", INVOLUNTARY)):
        chosen = (part.label == 0) | (part.label_kind == code)
        own = part.rows(chosen)
        found[name] = roc_auc(own.label, probability[chosen], clusters=own.account_ids, strata=own.as_of)
    return found


def fold_aucs(recipe: Recipe, table: TrainingTable, folds: tuple[Fold, ...]) -> Floats:
    """AUC of each fold, without calibration (which does not change the order)."""
    found = []
    for fold in folds:
        decision, rows = unseen_decisions(recipe, table, (fold,))
        found.append(roc_auc(table.label[rows], decision, strata=table.as_of[rows]).value)
    return np.array(found)


def boosting_is_better(logistic: Floats, boosting: Floats) -> bool:
    """Better on average by more than one fold's standard deviation of the simpler model."""
    spread = float(logistic.std(ddof=1)) if logistic.size > 1 else 1.0
    return bool(boosting.mean() - logistic.mean() > spread)


def gate(judgement: Judgement, baselines: dict[str, Baseline | None]) -> Reason:
    """Why the candidate may go live, or why not."""
    auc = judgement.auc
    figures = {"roc_auc": round(auc.value, 3), "low": round(auc.low, 3), "high": round(auc.high, 3)}
    if not auc.low > 0.5:
        return Reason("no_better_than_chance", figures)
    for name, baseline in baselines.items():
        if baseline is None:
            continue
        if name == "constant" and not judgement.brier_score < baseline.brier_score:
            brier = {"brier": round(judgement.brier_score, 4), "other": round(baseline.brier_score, 4)}
            return Reason("loses_to_constant", brier)
        if not baseline.beaten:
            other = {"roc_auc": figures["roc_auc"], "other": round(baseline.roc_auc, 3)}
            return Reason(f"loses_to_{name}", other)
    return Reason("live", figures)
