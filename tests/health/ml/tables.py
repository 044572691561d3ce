"""Training tables: made up with a known truth, and read from the public data sets."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from health import ml

REPOSITORY = Path(__file__).resolve().parents[3]
FIRST_DAY = date(2025, 1, 6).toordinal()


def shared_data(name: str) -> Path:
    """Folder of a public data set; skips the test where it is not on this machine."""
    root = Path(os.environ.get("SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
    if not (root / name).is_dir():
        pytest.skip(f"data set {name!r} not found; set SHARED_DATA to the folder that holds it")
    return root / name


def snapshot(accounts: int = 1500, *, signal: float = 1.5, seed: int = 0) -> ml.TrainingTable:
    """One day; usage falls and a plan churns more, `signal` times."""
    rng = np.random.default_rng(seed)
    usage, seats = rng.normal(size=accounts), np.exp(rng.normal(3, 1, accounts))
    plan = rng.integers(0, 3, accounts).astype(float)
    risk = -1.8 - signal * usage + signal * 0.5 * (plan == 2)
    label = (rng.random(accounts) < 1 / (1 + np.exp(-risk))).astype(np.int64)
    usage = np.where(rng.random(accounts) < 0.1, np.nan, usage)
    specs = (
        ml.FeatureSpec("active_days", behavioural=True),
        ml.FeatureSpec("seats"),
        ml.FeatureSpec("plan", "categorical", ("basic", "pro", "trial"), source="trait"),
    )
    return ml.TrainingTable(
        features=ml.FeatureMatrix(specs, np.column_stack([usage, seats, plan])),
        account_ids=np.arange(accounts),
        as_of=np.full(accounts, FIRST_DAY),
        label=label,
        horizon_days=30,
    )


def weekly(
    accounts: int = 400, weeks: int = 52, *, signal: float = 1.5, seed: int = 0, horizon: int = 30
) -> ml.TrainingTable:
    """Weekly snapshots of accounts whose usage drifts and whose end follows from it."""
    rng = np.random.default_rng(seed)
    usage = np.cumsum(rng.normal(0, 0.3, (accounts, weeks)), axis=1) + rng.normal(0, 1, (accounts, 1))
    rate = 1 / (1 + np.exp(4.8 + signal * usage))
    ends = np.where(rng.random((accounts, weeks)) < rate, np.arange(weeks), weeks * 9).min(axis=1)
    account, week = np.nonzero(np.arange(weeks)[None, :] <= ends[:, None])
    left = 7 * (ends[account] - week) + 3
    values = np.column_stack([usage[account, week], rng.normal(size=account.size)])
    specs = (ml.FeatureSpec("usage", behavioural=True), ml.FeatureSpec("noise", behavioural=True))
    matured = week <= weeks - horizon // 7 - 1
    table = ml.TrainingTable(
        features=ml.FeatureMatrix(specs, values),
        account_ids=account,
        as_of=FIRST_DAY + 7 * week,
        label=(left <= horizon).astype(np.int64),
        horizon_days=horizon,
        label_kind=np.where(account % 3 == 0, ml.INVOLUNTARY, ml.VOLUNTARY),
    )
    return table.rows(matured)


def with_feature(table: ml.TrainingTable, spec: ml.FeatureSpec, values: Any) -> ml.TrainingTable:
    """The same rows and one more feature."""
    from dataclasses import replace

    old = table.features
    wider = np.column_stack([old.values, np.asarray(values, dtype=float)])
    return replace(table, features=ml.FeatureMatrix((*old.specs, spec), wider))


def frame_features(frame: Any, *, skip: set[str]) -> ml.FeatureMatrix:
    """Traits of a pandas frame: numbers as they are, everything else as categories."""
    import pandas as pd

    specs, columns = [], []
    for name in [column for column in frame.columns if column not in skip]:
        series = frame[name]
        if pd.api.types.is_bool_dtype(series) or not pd.api.types.is_numeric_dtype(series):
            category = series.astype("string").astype("category")
            levels = tuple(category.cat.categories)
            specs.append(ml.FeatureSpec(name, "categorical", levels, source="trait", undated=True))
            codes = category.cat.codes.to_numpy(dtype=float)
            columns.append(np.where(codes < 0, np.nan, codes))
        else:
            specs.append(ml.FeatureSpec(name, source="trait", undated=True))
            columns.append(series.to_numpy(dtype=float))
    return ml.FeatureMatrix(tuple(specs), np.column_stack(columns))
