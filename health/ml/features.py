"""Turns raw features into the columns a model reads; learned once, applied with numpy alone.

Numeric: signed log where the tail is heavy, clipped to the 0.5 and 99.5 % quantiles, gaps filled with the
median and marked by an indicator, standardised. Categorical: one column per frequent level, one for all
rare or unknown levels, one for missing. Boosting reads numeric columns raw (it splits on ranks and knows
missing values) and the same level columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from health.ml.table import FeatureMatrix, FeatureSpec, Floats, Ints

HEAVY_SKEW = 2.0
CLIP = (0.005, 0.995)
MIN_LEVEL_ROWS = 20
MIN_LEVEL_SHARE = 0.005
MAX_LEVELS = 40


@dataclass(frozen=True, slots=True)
class Column:
    """One model column made from feature number `feature`.

    kind "value": clip(log?(x), low, high), gaps = fill; "missing": 1 where absent; "level": 1 where the
    code is in `codes`. `mean` and `scale` standardise it for the linear model.
    """

    feature: int
    kind: Literal["value", "missing", "level"]
    label: str = ""
    log: bool = False
    low: float = 0.0
    high: float = 0.0
    fill: float = 0.0
    codes: tuple[int, ...] = ()
    mean: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Encoder:
    """`specs`: the features in use; `columns`: grouped by feature, in the order of `specs`."""

    specs: tuple[FeatureSpec, ...]
    columns: tuple[Column, ...]

    @property
    def groups(self) -> Ints:
        """Feature number of each column."""
        return np.array([column.feature for column in self.columns], dtype=np.int64)

    def linear(self, matrix: FeatureMatrix) -> Floats:
        """Standardised columns (N, P), no gaps."""
        values = matrix.aligned(self.specs).values
        out = np.empty((values.shape[0], len(self.columns)), order="F")
        for at, column in enumerate(self.columns):
            own = out[:, at]
            np.subtract(_raw(column, values[:, column.feature]), column.mean, out=own)
            own /= column.scale
        return out

    @property
    def tree_columns(self) -> tuple[Column, ...]:
        """Columns that boosting reads: no missing indicator beside a raw value, which holds its own gaps."""
        raw = {column.feature for column in self.columns if column.kind == "value"}
        return tuple(c for c in self.columns if c.kind != "missing" or c.feature not in raw)

    def trees(self, matrix: FeatureMatrix) -> Floats:
        """Columns for boosting (N, Q): numeric features as they are with nan, levels as 0 / 1."""
        values = matrix.aligned(self.specs).values
        columns = self.tree_columns
        out = np.empty((values.shape[0], len(columns)), order="F")
        for at, column in enumerate(columns):
            source = values[:, column.feature]
            out[:, at] = source if column.kind == "value" else _raw(column, source)
        return out


def _raw(column: Column, values: Floats) -> Floats:
    if column.kind == "missing":
        return np.isnan(values).astype(float)
    if column.kind == "level":
        return _any_of(values, column.codes)
    found = signed_log(values) if column.log else values.copy()
    np.clip(found, column.low, column.high, out=found)
    found[np.isnan(found)] = column.fill
    return found


def _any_of(values: Floats, codes: tuple[int, ...]) -> Floats:
    if len(codes) == 1:
        return np.asarray(values == codes[0], dtype=float)
    return np.isin(values, codes).astype(float)


def signed_log(values: Floats) -> Floats:
    """log(1 + |x|) with the sign of x."""
    return np.sign(values) * np.log1p(np.abs(values))


def learn_encoder(matrix: FeatureMatrix) -> tuple[Encoder, dict[str, str]]:
    """Learn from training rows; also names the features that carry nothing ("empty", "constant")."""
    columns: list[Column] = []
    specs: list[FeatureSpec] = []
    dropped: dict[str, str] = {}
    for at, spec in enumerate(matrix.specs):
        values = matrix.values[:, at]
        made = _numeric(values) if spec.kind == "numeric" else _categorical(spec, values)
        found = [c for c in (_standardised(column, values) for column in made) if c is not None]
        if found:
            columns += [replace(column, feature=len(specs)) for column in found]
            specs.append(spec)
        else:
            dropped[spec.name] = "empty" if np.isnan(values).all() else "constant"
    return Encoder(tuple(specs), tuple(columns)), dropped


def _numeric(values: Floats) -> list[Column]:
    known = values[~np.isnan(values)]
    if known.size == 0:
        return []
    log = bool(abs(_skew(known)) > HEAVY_SKEW)
    scaled = signed_log(known) if log else known
    low, fill, high = (float(q) for q in np.quantile(scaled, (CLIP[0], 0.5, CLIP[1])))
    if low == high:  # a rare event: the quantiles would hide it
        low, high = float(scaled.min()), float(scaled.max())
    columns = [Column(0, "value", log=log, low=low, high=high, fill=fill)]
    return columns + _missing(values)


def _missing(values: Floats) -> list[Column]:
    gaps = int(np.isnan(values).sum())
    return [Column(0, "missing", "missing")] if _frequent(gaps, values.size) else []


def _frequent(count: int, rows: int) -> bool:
    return count >= max(MIN_LEVEL_ROWS, MIN_LEVEL_SHARE * rows)


def _categorical(spec: FeatureSpec, values: Floats) -> list[Column]:
    known = values[~np.isnan(values)].astype(np.int64)
    counts = np.bincount(known, minlength=len(spec.levels) + 1)
    ranked = np.argsort(-counts, kind="stable")[:MAX_LEVELS].tolist()
    kept = sorted(
        code for code in ranked if code < len(spec.levels) and _frequent(int(counts[code]), values.size)
    )
    columns = [Column(0, "level", spec.levels[code], codes=(code,)) for code in kept]
    rare = tuple(code for code in range(len(spec.levels) + 1) if code not in kept)
    if int(counts[list(rare)].sum()) > 0:
        columns.append(Column(0, "level", "(rare)", codes=rare))
    return columns + _missing(values)


def _standardised(column: Column, values: Floats) -> Column | None:
    raw = _raw(column, values)
    scale = float(raw.std())
    if scale < 1e-12:
        return None
    return replace(column, mean=float(raw.mean()), scale=scale)


def _skew(values: Floats) -> float:
    spread = values.std()
    return 0.0 if spread < 1e-12 else float((((values - values.mean()) / spread) ** 3).mean())
