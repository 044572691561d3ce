"""The public record of a trained model: plain figures, each reason as a code with its values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

SENTENCES = {
    "live": "Live: ranks churned accounts above others in {roc_auc} of pairs ({low} to {high}), "
    "better than every baseline.",
    "too_few_churned": "Too few churned accounts: {churned} of {needed} needed.",
    "no_features": "No feature is left to learn from.",
    "no_better_than_chance": "No better than chance: ROC AUC {roc_auc} ({low} to {high}).",
    "loses_to_constant": "Its probabilities are no closer to the truth than the average rate: "
    "Brier score {brier} against {other}.",
    "loses_to_health_score": "Not clearly better than the health score alone: "
    "ROC AUC {roc_auc} against {other}.",
    "loses_to_days_to_renewal": "Not clearly better than the days to renewal alone: "
    "ROC AUC {roc_auc} against {other}.",
    "loses_to_tenure_days": "Not clearly better than the account's age alone: "
    "ROC AUC {roc_auc} against {other}.",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable code, the values of its sentence, and the sentence in English."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """English; translate by `code` and `params`."""
        return SENTENCES[self.code].format(**self.params)


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """Everything that is known about a candidate. Figures are None where nothing could be judged.

    `window`: first and last `as_of` (ISO dates), horizon and dates; `classes`: rows and accounts per
    outcome; `baselines`: name -> figures or None; `calibration`: bins of out-of-sample predictions;
    `features`: name, kind, source, undated, weight (share of the model's total influence); `left_out`:
    feature, code, params; `coefficients`: per model column, logistic only.
    """

    reason: Reason
    rows: int
    churned: int
    split: str
    algorithm: str = ""
    window: dict[str, Any] = field(default_factory=dict)
    classes: dict[str, Any] = field(default_factory=dict)
    roc_auc: float | None = None
    roc_auc_low: float | None = None
    roc_auc_high: float | None = None
    average_precision: float | None = None
    top_decile_lift: float | None = None
    brier_score: float | None = None
    ece: float | None = None
    baselines: dict[str, Any] = field(default_factory=dict)
    by_kind: dict[str, Any] = field(default_factory=dict)
    candidates: dict[str, Any] = field(default_factory=dict)
    calibration: list[dict[str, float]] = field(default_factory=list)
    features: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    coefficients: list[dict[str, Any]] = field(default_factory=list)

    @property
    def live(self) -> bool:
        """Whether the candidate passed the gate."""
        return self.reason.code == "live"

    def as_json(self) -> dict[str, Any]:
        """JSON-safe: nan becomes null."""
        found = {name: getattr(self, name) for name in self.__slots__ if name != "reason"}
        found |= {
            "live": self.live,
            "reason": self.reason.sentence,
            "reason_code": self.reason.code,
            "reason_params": self.reason.params,
        }
        cleaned: dict[str, Any] = _without_nan(found)
        return cleaned


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
