"""The artefact that the nightly run applies: numpy only, no scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cs_platform.lib.stats import bin_shares, quantile_edges, stability_of_shares
from health.ml.calibration import Calibrator
from health.ml.recipe import Uncalibrated
from health.ml.table import FeatureMatrix, FeatureSpec, Floats


@dataclass(frozen=True, slots=True)
class Reference:
    """Distribution of one feature in the training rows: inner quantile edges, share per bin, missing last."""

    feature: str
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    median: float


@dataclass(frozen=True, slots=True)
class ChurnModel:
    """Encoder, scorer and calibrator, with the horizon they were trained for."""

    horizon_days: int
    core: Uncalibrated
    calibrator: Calibrator
    reference: tuple[Reference, ...]

    @property
    def specs(self) -> tuple[FeatureSpec, ...]:
        """The features in use; a matrix may hold more, in any order."""
        return self.core.encoder.specs

    def predict(self, matrix: FeatureMatrix) -> Floats:
        """Probability (N,) that each account leaves within the horizon."""
        return self.calibrator.probability(self.core.decision(matrix))

    def enough_data(self, matrix: FeatureMatrix) -> NDArray[np.bool_]:
        """False (N,) where every behavioural feature is missing: then show "not enough data" instead.

        A model without behavioural features needs at least one value of any kind.
        """
        known = ~np.isnan(matrix.aligned(self.specs).values)
        behavioural = np.array([spec.behavioural for spec in self.specs], dtype=bool)
        wanted = known[:, behavioural] if behavioural.any() else known
        return np.asarray(wanted.any(axis=1))

    def drift(self, matrix: FeatureMatrix) -> dict[str, float]:
        """Population stability index per feature against the training rows; above 0.25 is a shift."""
        values = matrix.aligned(self.specs).values
        return {
            known.feature: stability_of_shares(known.shares, bin_shares(values[:, at], known.edges))
            for at, known in enumerate(self.reference)
        }


def learn_reference(matrix: FeatureMatrix) -> tuple[Reference, ...]:
    """Bins of every feature; for categories one bin per level."""
    return tuple(_reference(spec, matrix.values[:, at]) for at, spec in enumerate(matrix.specs))


def _reference(spec: FeatureSpec, values: Floats) -> Reference:
    categorical = spec.kind == "categorical"
    edges = np.arange(len(spec.levels)) + 0.5 if categorical else quantile_edges(values)
    known = values[~np.isnan(values)]
    median = float(np.median(known)) if known.size and not categorical else float("nan")
    return Reference(spec.name, tuple(edges.tolist()), tuple(bin_shares(values, edges).tolist()), median)
