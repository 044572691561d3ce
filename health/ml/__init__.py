"""Churn models: train, judge, store, apply, explain. Pure arrays; scikit-learn only while training.

Import from here. The names are loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accounts.imports.end_words import names_the_end
    from health.ml.explain import Lever, Reasons, RiskReason, top_reasons, what_would_change_it
    from health.ml.model import ChurnModel
    from health.ml.record import Reason, TrainingRecord
    from health.ml.store import UnreadableModel, dump, load
    from health.ml.table import (
        INVOLUNTARY,
        UNKNOWN_KIND,
        VOLUNTARY,
        FeatureMatrix,
        FeatureSpec,
        TrainingTable,
    )
    from health.ml.train import TrainingResult, train_model

__all__ = [
    "INVOLUNTARY",
    "UNKNOWN_KIND",
    "VOLUNTARY",
    "ChurnModel",
    "FeatureMatrix",
    "FeatureSpec",
    "Lever",
    "Reason",
    "Reasons",
    "RiskReason",
    "TrainingRecord",
    "TrainingResult",
    "TrainingTable",
    "UnreadableModel",
    "dump",
    "load",
    "names_the_end",
    "top_reasons",
    "train_model",
    "what_would_change_it",
]

_HOMES = {
    "explain": ("Lever", "Reasons", "RiskReason", "top_reasons", "what_would_change_it"),
    "leakage": ("names_the_end",),
    "model": ("ChurnModel",),
    "record": ("Reason", "TrainingRecord"),
    "store": ("UnreadableModel", "dump", "load"),
    "table": (
        "INVOLUNTARY",
        "UNKNOWN_KIND",
        "VOLUNTARY",
        "FeatureMatrix",
        "FeatureSpec",
        "TrainingTable",
    ),
    "train": ("TrainingResult", "train_model"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"health.ml.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
