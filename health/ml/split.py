"""Which rows may be learned from and which are kept to judge.

By time: the model is tested on days after those it learned from, with an embargo as long as the horizon,
because a row's label is only known one horizon later. By account: where there is too little time for that
(one snapshot), each account is judged by a model that never saw it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from health.ml.table import Ints, TrainingTable

SplitKind = Literal["time_embargo", "by_account"]

FOLDS = 5
TIME_FOLDS = 4
MIN_CHURNED_TO_LEARN = 10
MIN_CHURNED_TO_TEST = 5


@dataclass(frozen=True, slots=True)
class Fold:
    """Row indices."""

    train: Ints
    test: Ints


@dataclass(frozen=True, slots=True)
class Split:
    """Folds whose test parts do not overlap."""

    kind: SplitKind
    folds: tuple[Fold, ...]


def make_split(table: TrainingTable, seed: int = 0) -> Split:
    """By time where at least two test windows can be judged, else by account."""
    by_time = tuple(fold for fold in _time_folds(table) if _usable(table, fold))
    if len(by_time) >= 2:
        return Split("time_embargo", by_time)
    return Split("by_account", account_folds(table, FOLDS, seed))


def _time_folds(table: TrainingTable) -> list[Fold]:
    """Up to four windows, newest last; the first third of the usable span is only learned from."""
    if table.size == 0:
        return []
    first, last = int(table.as_of.min()), int(table.as_of.max())
    usable = last - first - table.horizon_days
    length = min(usable // (TIME_FOLDS + 2), table.horizon_days)
    if length < 1:
        return []
    ends = [last - length * back for back in range(TIME_FOLDS - 1, -1, -1)]
    return [time_fold(table, end - length + 1, end) for end in ends]


def time_fold(table: TrainingTable, start: int, end: int) -> Fold:
    """Test on days start..end; learn from rows whose label was known before `start`."""
    known = table.as_of + table.horizon_days <= start
    tested = (table.as_of >= start) & (table.as_of <= end)
    return Fold(np.flatnonzero(known), np.flatnonzero(tested))


def newest_fold(table: TrainingTable) -> Fold | None:
    """The newest window as test, for calibration; None where it cannot be judged."""
    folds = _time_folds(table)
    return folds[-1] if folds and _usable(table, folds[-1], to_test=30) else None


def _usable(table: TrainingTable, fold: Fold, to_test: int = MIN_CHURNED_TO_TEST) -> bool:
    learned, tested = table.label[fold.train], table.label[fold.test]
    enough = _churned(table, fold.train) >= MIN_CHURNED_TO_LEARN and _churned(table, fold.test) >= to_test
    return enough and bool((learned == 0).any()) and bool((tested == 0).any())


def _churned(table: TrainingTable, rows: Ints) -> int:
    return int(np.unique(table.account_ids[rows][table.label[rows] == 1]).size)


def account_folds(table: TrainingTable, count: int, seed: int = 0) -> tuple[Fold, ...]:
    """Stratified folds: all rows of an account on one side, churned accounts spread evenly."""
    accounts, codes = np.unique(table.account_ids, return_inverse=True)
    churned = np.zeros(accounts.size, dtype=bool)
    churned[codes[table.label == 1]] = True
    order = np.random.default_rng(seed).permutation(accounts.size)
    order = order[np.argsort(churned[order], kind="stable")]
    group = np.empty(accounts.size, dtype=np.int64)
    group[order] = np.arange(accounts.size) % count
    of_row = group[codes]
    return tuple(Fold(np.flatnonzero(of_row != at), np.flatnonzero(of_row == at)) for at in range(count))
