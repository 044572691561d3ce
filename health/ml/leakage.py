"""Finds features that know the answer.

A feature is left out when it
1. is a trait whose name speaks of the end ("churn_flag", "cancelled_on");
2. separates churned from other rows almost perfectly (AUC >= 0.97, as a value or by being present);
3. has a level, or is only present, where practically everybody churned, and its name or its missing date
   makes that suspicious; for metrics of the platform only together with a name that speaks of the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from accounts.imports.end_words import names_the_end
from cs_platform.lib.stats import roc_auc, wilson_interval
from health.ml.table import FeatureSpec, Floats, Ints, TrainingTable

SEPARATES = 0.97
PURE_RATE = 0.9
MIN_PURE_ROWS = 20
MIN_CLASS_ROWS = 10
MAX_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A feature that is not used: code "names_the_end", "separates", "pure_level", "empty" or "constant"."""

    feature: str
    code: str
    params: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Name, code and the values of its sentence."""
        return {"feature": self.feature, "code": self.code, "params": self.params}


def find_leaks(table: TrainingTable) -> list[LeftOut]:
    """Features to leave out, in column order; by name alone where there are no rows."""
    step = max(1, table.size // MAX_ROWS)
    label = table.label[::step]
    found = []
    for at, spec in enumerate(table.features.specs):
        leak = _leak(spec, table.features.values[::step, at], label)
        if leak:
            found.append(leak)
    return found


def _leak(spec: FeatureSpec, values: Floats, label: Ints) -> LeftOut | None:
    speaks = names_the_end(spec.name)
    if speaks and spec.source == "trait":
        return LeftOut(spec.name, "names_the_end", {})
    auc = max(_separation(spec, values, label), _class_auc(label, ~np.isnan(values)))
    if auc >= SEPARATES:
        return LeftOut(spec.name, "separates", {"roc_auc": round(auc, 3)})
    if speaks or (spec.source == "trait" and spec.undated):
        return _pure(spec, values, label)
    return None


def _separation(spec: FeatureSpec, values: Floats, label: Ints) -> float:
    known = ~np.isnan(values)
    if spec.kind == "numeric":
        return _class_auc(label[known], values[known])
    if not known.any():
        return 0.5
    codes = values[known].astype(np.int64)
    total = np.bincount(codes)
    # A level that holds one row would know its own label: the overall rate counts as ten more rows.
    rate = (np.bincount(codes, label[known]) + 10 * label.mean()) / (total + 10)
    return _class_auc(label[known], rate[codes])


def _class_auc(label: Ints, values: Any) -> float:
    """Separation in either direction; 0.5 where one class has too few rows to say."""
    churned = int(label.sum())
    if min(churned, label.size - churned) < MIN_CLASS_ROWS:
        return 0.5
    found = roc_auc(label, values).value
    return max(found, 1 - found)


def _pure(spec: FeatureSpec, values: Floats, label: Ints) -> LeftOut | None:
    for name, rows in _groups(spec, values):
        count, churned = int(rows.sum()), int(label[rows].sum())
        rest = label[~rows]
        if count < MIN_PURE_ROWS or rest.size == 0:
            continue
        low = wilson_interval(churned, count).low
        if low >= PURE_RATE and rest.mean() < PURE_RATE / 2:
            return LeftOut(
                spec.name, "pure_level", {"level": name, "rows": count, "rate": round(churned / count, 3)}
            )
    return None


def _groups(spec: FeatureSpec, values: Floats) -> list[tuple[str, Any]]:
    groups = [("(present)", ~np.isnan(values))]
    if spec.kind == "categorical":
        groups += [(level, values == code) for code, level in enumerate(spec.levels)]
    else:
        distinct = np.unique(values[~np.isnan(values)])
        if distinct.size <= 3:
            groups += [(f"{value:g}", values == value) for value in distinct.tolist()]
    return groups
