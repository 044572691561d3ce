"""A model as JSON and back, without pickle. The format is described in docs/modelling.md."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from health.ml.calibration import Calibrator
from health.ml.features import Column, Encoder
from health.ml.model import ChurnModel, Reference
from health.ml.models import Boosted, Logistic, Tree
from health.ml.recipe import Uncalibrated
from health.ml.table import FeatureSpec

FORMAT = "churn-model/1"


class UnreadableModel(ValueError):
    """The JSON is not a model of a format this version reads."""


def dump(model: ChurnModel) -> dict[str, Any]:
    """JSON-safe; floats keep every bit through `json.dumps`."""
    return {
        "format": FORMAT,
        "horizon_days": model.horizon_days,
        "features": [asdict(spec) | {"levels": list(spec.levels)} for spec in model.specs],
        "columns": [asdict(c) | {"codes": list(c.codes)} for c in model.core.encoder.columns],
        **_scorer_json(model.core.scorer),
        "calibration": asdict(model.calibrator)
        | {"x": list(model.calibrator.x), "y": list(model.calibrator.y)},
        "reference": [_reference_json(known) for known in model.reference],
    }


def load(raw: Any) -> ChurnModel:
    """The same model; `predict` gives the same numbers to the last bit."""
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise UnreadableModel(f"expected a model of format {FORMAT}")
    try:
        encoder = Encoder(
            tuple(FeatureSpec(**(s | {"levels": tuple(s["levels"])})) for s in raw["features"]),
            tuple(Column(**(c | {"codes": tuple(c["codes"])})) for c in raw["columns"]),
        )
        calibration = raw["calibration"]
        return ChurnModel(
            int(raw["horizon_days"]),
            Uncalibrated(encoder, _scorer(raw)),
            Calibrator(**(calibration | {"x": tuple(calibration["x"]), "y": tuple(calibration["y"])})),
            tuple(_reference(known) for known in raw["reference"]),
        )
    except (KeyError, TypeError) as error:
        raise UnreadableModel(f"damaged model: {error}") from error


def _scorer_json(scorer: Logistic | Boosted) -> dict[str, Any]:
    if isinstance(scorer, Logistic):
        return {
            "algorithm": "logistic",
            "logistic": {"intercept": scorer.intercept, "coefficients": scorer.coefficients.tolist()},
        }
    trees = [{name: getattr(tree, name).tolist() for name in _TREE_TYPES} for tree in scorer.trees]
    return {"algorithm": "boosting", "boosting": {"baseline": scorer.baseline, "trees": trees}}


_TREE_TYPES: dict[str, Any] = {
    "feature": np.int32,
    "threshold": np.float64,
    "missing_left": np.bool_,
    "left": np.int32,
    "right": np.int32,
    "value": np.float64,
}


def _scorer(raw: dict[str, Any]) -> Logistic | Boosted:
    if raw["algorithm"] == "logistic":
        found = raw["logistic"]
        return Logistic(float(found["intercept"]), np.array(found["coefficients"], dtype=float))
    if raw["algorithm"] != "boosting":
        raise UnreadableModel(f"unknown algorithm {raw['algorithm']!r}")
    found = raw["boosting"]
    return Boosted(float(found["baseline"]), tuple(_tree(tree) for tree in found["trees"]))


def _tree(raw: dict[str, Any]) -> Tree:
    return Tree(**{name: np.array(raw[name], dtype=kind) for name, kind in _TREE_TYPES.items()})


def _reference_json(known: Reference) -> dict[str, Any]:
    median = None if np.isnan(known.median) else known.median
    return {
        "feature": known.feature,
        "edges": list(known.edges),
        "shares": list(known.shares),
        "median": median,
    }


def _reference(raw: dict[str, Any]) -> Reference:
    median = float("nan") if raw["median"] is None else float(raw["median"])
    return Reference(raw["feature"], tuple(raw["edges"]), tuple(raw["shares"]), median)
