"""Why an account has its probability, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from health.ml.model import ChurnModel
from health.ml.table import FeatureMatrix, FeatureSpec, Floats, Ints


@dataclass(frozen=True, slots=True)
class Reasons:
    """Top reasons of N accounts, strongest first, aligned arrays of shape (N, k).

    `feature`: index into `specs`, -1 where there are fewer than k; `contribution`: log-odds against the
    average account (exact for logistic regression, path contributions for boosting), positive = raises
    the risk; `value`: the account's value, nan = missing; for categories the code into the spec's levels.
    """

    specs: tuple[FeatureSpec, ...]
    feature: Ints
    contribution: Floats
    value: Floats

    def of(self, row: int) -> list[RiskReason]:
        """One account's reasons in words' raw material."""
        found = zip(self.feature[row], self.value[row], self.contribution[row], strict=True)
        return [self._reason(int(at), float(value), float(c)) for at, value, c in found if at >= 0]

    def _reason(self, at: int, value: float, contribution: float) -> RiskReason:
        spec = self.specs[at]
        shown: float | str | None = None if np.isnan(value) else value
        if spec.kind == "categorical" and isinstance(shown, float):
            shown = spec.levels[int(shown)] if int(shown) < len(spec.levels) else None
        return RiskReason(spec.name, "raises" if contribution > 0 else "lowers", shown, contribution)


@dataclass(frozen=True, slots=True)
class RiskReason:
    """One feature's part: its value (number, level or None = missing) raises or lowers the risk."""

    feature: str
    direction: Literal["raises", "lowers"]
    value: float | str | None
    contribution: float


def top_reasons(
    model: ChurnModel, matrix: FeatureMatrix, k: int = 3, *, only_raising: bool = False
) -> Reasons:
    """The k features that move each account most; with `only_raising` those that raise its risk."""
    aligned = matrix.aligned(model.specs)
    found = contributions(model, aligned)
    ranked = found if only_raising else np.abs(found)
    k = min(k, found.shape[1])
    top = np.argpartition(-ranked, k - 1, axis=1)[:, :k] if k < found.shape[1] else _all(found)
    order = np.argsort(-np.take_along_axis(ranked, top, axis=1), axis=1, kind="stable")
    feature = np.take_along_axis(top, order, axis=1)
    part = np.take_along_axis(found, feature, axis=1)
    none = part <= 0 if only_raising else part == 0
    return Reasons(
        model.specs,
        np.where(none, -1, feature),
        np.where(none, 0.0, part),
        np.where(none, np.nan, np.take_along_axis(aligned.values, feature, axis=1)),
    )


def _all(found: Floats) -> Ints:
    return np.broadcast_to(np.arange(found.shape[1]), found.shape)


def contributions(model: ChurnModel, matrix: FeatureMatrix) -> Floats:
    """Log-odds per feature (N, F); rows sum to the model's decision minus `model.core.scorer.base`."""
    core = model.core
    return core.scorer.contributions(core.columns(matrix), core.groups, len(model.specs))


@dataclass(frozen=True, slots=True)
class Lever:
    """If this feature moved to the typical value, the account's probability would be `probability`."""

    feature: str
    value: float | None
    typical: float
    probability: float
    change: float


def what_would_change_it(
    model: ChurnModel, matrix: FeatureMatrix, row: int, k: int = 3, names: frozenset[str] | None = None
) -> list[Lever]:
    """Single moves to the training median that lower the probability most.

    Only behavioural numeric features, or those named. It says how the model would answer, not that moving
    the number by itself keeps the customer.
    """
    one = matrix.aligned(model.specs).rows(np.array([row]))
    now = float(model.predict(one)[0])
    medians = {known.feature: known.median for known in model.reference}
    levers = []
    for at, spec in enumerate(model.specs):
        chosen = spec.name in names if names is not None else spec.behavioural
        if not chosen or spec.kind != "numeric":
            continue
        moved = FeatureMatrix(one.specs, one.values.copy())
        moved.values[0, at] = medians[spec.name]
        then, value = float(model.predict(moved)[0]), float(one.values[0, at])
        if then < now:
            shown = None if np.isnan(value) else value
            levers.append(Lever(spec.name, shown, medians[spec.name], then, then - now))
    return sorted(levers, key=lambda lever: lever.change)[:k]
