"""What a churn model learns from: plain arrays, one row per account and day."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = NDArray[Any]

UNKNOWN_KIND, VOLUNTARY, INVOLUNTARY = 0, 1, 2


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One column. Categorical columns hold codes 0..len(levels)-1 as floats, nan = missing.

    `source` "metric": computed by the platform from facts known at `as_of`; "trait": brought along by the
    workspace, judged more strictly by the leakage check. `undated`: a trait without a date, assumed known
    since the account began. `behavioural`: says what the account does; where all of these are missing
    there is not enough data for a prediction.
    """

    name: str
    kind: Literal["numeric", "categorical"] = "numeric"
    levels: tuple[str, ...] = ()
    source: Literal["metric", "trait"] = "metric"
    undated: bool = False
    behavioural: bool = False


@dataclass(frozen=True, slots=True)
class FeatureMatrix:
    """`values` (N, F) float64, nan = missing (an infinite value too); column j is described by `specs[j]`."""

    specs: tuple[FeatureSpec, ...]
    values: Floats

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.specs):
            raise ValueError(f"values must have shape (N, {len(self.specs)}), not {self.values.shape}")
        if len({spec.name for spec in self.specs}) != len(self.specs):
            raise ValueError("two features have the same name")
        endless = np.isinf(self.values)
        if endless.any():
            object.__setattr__(self, "values", np.where(endless, np.nan, self.values))

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in column order."""
        return tuple(spec.name for spec in self.specs)

    def rows(self, index: Rows) -> FeatureMatrix:
        """The same columns, fewer rows (index or mask)."""
        return replace(self, values=self.values[index])

    def without(self, names: set[str]) -> FeatureMatrix:
        """The same rows, fewer columns."""
        keep = [at for at, spec in enumerate(self.specs) if spec.name not in names]
        return FeatureMatrix(tuple(self.specs[at] for at in keep), self.values[:, keep])

    def aligned(self, specs: tuple[FeatureSpec, ...]) -> FeatureMatrix:
        """Columns in another order, matched by name; absent ones are missing.

        Level codes are translated by level name; a level that `specs` does not know becomes the code
        len(levels), which one-hot encoding treats as rare.
        """
        if specs == self.specs:
            return self
        place = {spec.name: at for at, spec in enumerate(self.specs)}
        out = np.full((self.values.shape[0], len(specs)), np.nan, order="F")
        for at, spec in enumerate(specs):
            if spec.name in place:
                own = self.specs[place[spec.name]]
                column = self.values[:, place[spec.name]]
                out[:, at] = _translated(column, own, spec)
        return FeatureMatrix(specs, out)


def _translated(column: Floats, own: FeatureSpec, wanted: FeatureSpec) -> Floats:
    if wanted.kind != "categorical" or own.levels == wanted.levels:
        return column
    codes = {level: code for code, level in enumerate(wanted.levels)}
    table = np.array([codes.get(level, len(wanted.levels)) for level in own.levels] + [np.nan], dtype=float)
    found = np.where(np.isnan(column), len(own.levels), column).astype(np.int64)
    return table[found]


@dataclass(frozen=True, slots=True)
class TrainingTable:
    """Matured rows only: `as_of + horizon_days` must have passed for each of them.

    `account_ids`, `as_of` (proleptic ordinal of the day) (N,) int64; `label` (N,) 1 = the account's last
    subscription ended within the horizon; `label_kind` (N,) UNKNOWN_KIND / VOLUNTARY / INVOLUNTARY, read
    where label is 1; `arr_minor`, `health_score`, `days_to_renewal`, `tenure_days` (N,) float64, nan = unknown.
    The last three are baselines to beat; to learn from them, make them features as well.
    """

    features: FeatureMatrix
    account_ids: Ints
    as_of: Ints
    label: Ints
    horizon_days: int
    label_kind: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    arr_minor: Floats = field(default_factory=lambda: np.zeros(0))
    health_score: Floats = field(default_factory=lambda: np.zeros(0))
    days_to_renewal: Floats = field(default_factory=lambda: np.zeros(0))
    tenure_days: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        rows = self.features.values.shape[0]
        for name in ("account_ids", "as_of", "label"):
            if getattr(self, name).shape != (rows,):
                raise ValueError(f"{name} must have shape ({rows},), not {getattr(self, name).shape}")
        if not np.isin(self.label, (0, 1)).all():
            raise ValueError("label must be 0 or 1")
        if self.horizon_days < 1:
            raise ValueError("horizon_days must be at least 1")
        self._fill("label_kind", np.zeros(rows, dtype=np.int64))
        for name in ("arr_minor", "health_score", "days_to_renewal", "tenure_days"):
            self._fill(name, np.full(rows, np.nan))

    def _fill(self, name: str, default: Rows) -> None:
        given = getattr(self, name)
        if given.size == 0:
            object.__setattr__(self, name, default)
        elif given.shape != default.shape:
            raise ValueError(f"{name} must have shape {default.shape}, not {given.shape}")

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.label.size)

    @property
    def churned_accounts(self) -> int:
        """Distinct accounts with at least one positive row."""
        return int(np.unique(self.account_ids[self.label == 1]).size)

    def rows(self, index: Rows) -> TrainingTable:
        """The same columns, fewer rows (index or mask)."""
        return TrainingTable(
            features=self.features.rows(index),
            account_ids=self.account_ids[index],
            as_of=self.as_of[index],
            label=self.label[index],
            horizon_days=self.horizon_days,
            label_kind=self.label_kind[index],
            arr_minor=self.arr_minor[index],
            health_score=self.health_score[index],
            days_to_renewal=self.days_to_renewal[index],
            tenure_days=self.tenure_days[index],
        )

    def without(self, names: set[str]) -> TrainingTable:
        """The same rows without some features."""
        return replace(self, features=self.features.without(names))


def thin(table: TrainingTable, max_rows: int, seed: int = 0) -> TrainingTable:
    """At most about `max_rows` rows, by drawing whole accounts, so that the rate of churn stays unbiased."""
    if table.size <= max_rows:
        return table
    accounts = np.unique(table.account_ids)
    wanted = max(1, int(accounts.size * max_rows / table.size))
    drawn = np.random.default_rng(seed).choice(accounts, size=wanted, replace=False)
    return table.rows(np.isin(table.account_ids, drawn))
