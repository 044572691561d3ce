"""Trains a candidate, judges it on unseen rows and says whether it may go live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from health.ml.baselines import judge_baselines
from health.ml.evaluate import (
    MIN_CHURNED_ACCOUNTS,
    Judgement,
    boosting_is_better,
    fold_aucs,
    gate,
    judge,
)
from health.ml.explain import contributions
from health.ml.features import learn_encoder
from health.ml.leakage import LeftOut, find_leaks
from health.ml.model import ChurnModel, learn_reference
from health.ml.models import Logistic
from health.ml.recipe import Recipe, fit_calibrated, tune_penalty
from health.ml.record import Reason, TrainingRecord
from health.ml.split import Split, make_split
from health.ml.table import INVOLUNTARY, VOLUNTARY, TrainingTable, thin

MAX_ROWS = 100_000
INFLUENCE_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """The record always; the model only where one could be learned (it may still not be live)."""

    record: TrainingRecord
    model: ChurnModel | None


def train_model(
    table: TrainingTable,
    *,
    keep: frozenset[str] = frozenset(),
    min_churned: int = MIN_CHURNED_ACCOUNTS,
    max_rows: int = MAX_ROWS,
    seed: int = 0,
) -> TrainingResult:
    """Learn, judge and decide; the same table and seed give the same result.

    `keep`: features an admin vouches for, exempt from the leakage check.
    """
    table = thin(table, max_rows, seed)
    leaks = [leak for leak in find_leaks(table) if leak.feature not in keep]
    clean = table.without({leak.feature for leak in leaks})
    encoder, dropped = learn_encoder(clean.features)
    left_out = leaks + [LeftOut(name, code, {}) for name, code in dropped.items()]
    split = make_split(clean, seed)
    churned = table.churned_accounts
    if churned < min_churned or churned == np.unique(table.account_ids).size:
        reason = Reason("too_few_churned", {"churned": churned, "needed": min_churned})
        return TrainingResult(_record(table, reason, split, left_out), None)
    if not encoder.columns:
        return TrainingResult(_record(table, Reason("no_features"), split, left_out), None)
    return _trained(clean.without(set(dropped)), split, left_out, seed)


def _trained(table: TrainingTable, split: Split, left_out: list[LeftOut], seed: int) -> TrainingResult:
    recipe, candidates = _chosen(table, split, seed)
    judgement = judge(recipe, table, split)
    baselines = judge_baselines(table, split.folds, judgement.probability)
    core, calibrator = fit_calibrated(recipe, table)
    reference = learn_reference(table.features.aligned(core.encoder.specs))
    model = ChurnModel(table.horizon_days, core, calibrator, reference)
    record = _record(
        table,
        gate(judgement, baselines),
        split,
        left_out,
        algorithm=recipe.algorithm,
        baselines={name: b.as_json() if b else None for name, b in baselines.items()},
        candidates=candidates,
        features=_features(model, table),
        coefficients=_coefficients(model),
        **_figures(judgement),
    )
    return TrainingResult(record, model)


def _chosen(table: TrainingTable, split: Split, seed: int) -> tuple[Recipe, dict[str, Any]]:
    """Logistic regression, unless boosting is clearly better."""
    # Under a time split these are the oldest rows, of which none is judged.
    first = table.rows(split.folds[0].train)
    logistic = Recipe("logistic", split.kind, tune_penalty(first, seed), seed)
    boosting = Recipe("boosting", split.kind, seed=seed)
    aucs: dict[str, Any] = {r.algorithm: fold_aucs(r, table, split.folds) for r in (logistic, boosting)}
    better = boosting_is_better(aucs["logistic"], aucs["boosting"])
    candidates: dict[str, Any] = {
        str(name): {"fold_roc_auc": [float(a) for a in found]} for name, found in aucs.items()
    }
    candidates["logistic"]["penalty"] = [logistic.penalty]
    return (boosting if better else logistic), candidates


def _record(
    table: TrainingTable, reason: Reason, split: Split, left_out: list[LeftOut], **more: Any
) -> TrainingRecord:
    return TrainingRecord(
        reason=reason,
        rows=table.size,
        churned=table.churned_accounts,
        split=split.kind,
        window=_window(table, split),
        classes=_classes(table),
        left_out=[leak.as_json() for leak in left_out],
        **more,
    )


def _window(table: TrainingTable, split: Split) -> dict[str, Any]:
    days = np.unique(table.as_of)
    tested = table.as_of[np.concatenate([fold.test for fold in split.folds])]
    empty = days.size == 0
    return {
        "first_as_of": None if empty else date.fromordinal(int(days[0])).isoformat(),
        "last_as_of": None if empty else date.fromordinal(int(days[-1])).isoformat(),
        "tested_from": None if tested.size == 0 else date.fromordinal(int(tested.min())).isoformat(),
        "snapshots": int(days.size),
        "horizon_days": table.horizon_days,
        "embargo_days": table.horizon_days if split.kind == "time_embargo" else 0,
        "folds": len(split.folds),
    }


def _classes(table: TrainingTable) -> dict[str, Any]:
    def accounts(rows: Any) -> int:
        return int(np.unique(table.account_ids[rows]).size)

    churned = table.label == 1
    return {
        "rows_churned": int(churned.sum()),
        "rows_stayed": int((~churned).sum()),
        "rate": float(churned.mean()) if table.size else 0.0,
        "accounts": accounts(slice(None)),
        "accounts_churned": accounts(churned),
        "accounts_voluntary": accounts(churned & (table.label_kind == VOLUNTARY)),
        "accounts_involuntary": accounts(churned & (table.label_kind == INVOLUNTARY)),
    }


def _figures(judgement: Judgement) -> dict[str, Any]:
    kinds = {
        name: {"rows_churned": auc.positives, "roc_auc": auc.value, "low": auc.low, "high": auc.high}
        for name, auc in judgement.by_kind.items()
    }
    return {
        "roc_auc": judgement.auc.value,
        "roc_auc_low": judgement.auc.low,
        "roc_auc_high": judgement.auc.high,
        "average_precision": judgement.average_precision,
        "top_decile_lift": judgement.top_decile_lift,
        "brier_score": judgement.brier_score,
        "ece": judgement.ece,
        "by_kind": kinds,
        "calibration": [
            {"predicted": b.predicted, "observed": b.observed, "low": b.low, "high": b.high, "rows": b.rows}
            for b in judgement.bins
        ],
    }


def _features(model: ChurnModel, table: TrainingTable) -> list[dict[str, Any]]:
    """The features in use, most influential first; weight = share of the mean absolute contribution."""
    step = max(1, table.size // INFLUENCE_ROWS)
    sample = table.features.rows(slice(None, None, step))  # type: ignore[arg-type]
    influence = np.abs(contributions(model, sample)).mean(axis=0)
    shares = influence / max(float(influence.sum()), 1e-12)
    found = [
        {
            "name": spec.name,
            "kind": spec.kind,
            "source": spec.source,
            "undated": spec.undated,
            "weight": float(share),
        }
        for spec, share in zip(model.specs, shares, strict=True)
    ]
    return sorted(found, key=lambda feature: -feature["weight"])


def _coefficients(model: ChurnModel) -> list[dict[str, Any]]:
    """Change of log-odds per standard deviation of each column."""
    scorer = model.core.scorer
    if not isinstance(scorer, Logistic):
        return []
    columns = zip(model.core.encoder.columns, scorer.coefficients.tolist(), strict=True)
    return [
        {
            "feature": model.specs[column.feature].name,
            "column": column.label or "value",
            "coefficient": coefficient,
        }
        for column, coefficient in columns
    ]
