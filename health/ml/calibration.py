"""From a model's log-odds to a probability that can be taken at its word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from health.ml.table import Floats, Ints

MIN_CHURNED_FOR_STEPS = 300
FOLDS = 5
SLOPE_PRECISION = 4.0


@dataclass(frozen=True, slots=True)
class Calibrator:
    """kind "platt": sigmoid(slope * decision + intercept); "isotonic": linear between (x, y), flat outside.

    Sources: Platt 1999; Zadrozny & Elkan 2002.
    """

    kind: Literal["platt", "isotonic"]
    slope: float = 1.0
    intercept: float = 0.0
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()

    def probability(self, decision: Floats) -> Floats:
        """Probabilities (N,) of decision values (N,)."""
        if self.kind == "isotonic":
            return np.asarray(np.interp(decision, self.x, self.y))
        return sigmoid(self.slope * decision + self.intercept)


def sigmoid(values: Floats) -> Floats:
    """1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1 / (1 + small), small / (1 + small))


def log_odds(probabilities: Floats) -> Floats:
    """log(p / (1 - p)), bounded away from 0 and 1."""
    safe = np.clip(probabilities, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(safe / (1 - safe)))


def learn_calibrator(decision: Floats, label: Ints, seed: int = 0) -> Calibrator:
    """Learn on decisions of rows the model has not seen.

    Steps (isotonic) only where many churned and they predict unseen rows better than the smooth curve.
    """
    if label.sum() < MIN_CHURNED_FOR_STEPS:
        return _platt(decision, label)
    smooth, steps = _cross_checked(decision, label, seed)
    return _isotonic(decision, label) if steps < smooth else _platt(decision, label)


def _cross_checked(decision: Floats, label: Ints, seed: int) -> tuple[float, float]:
    """Squared error of both kinds on folds they did not learn from."""
    group = np.random.default_rng(seed).permutation(label.size) % FOLDS
    errors = np.zeros(2)
    for fold in range(FOLDS):
        train, test = group != fold, group == fold
        for at, learn in enumerate((_platt, _isotonic)):
            found = learn(decision[train], label[train]).probability(decision[test])
            errors[at] += float(((found - label[test]) ** 2).sum())
    return float(errors[0]), float(errors[1])


def _platt(decision: Floats, label: Ints) -> Calibrator:
    """Newton's method on two parameters; a falling curve is refused in favour of the plain rate.

    The slope is drawn to 1 as by a normal prior with deviation 0.5: without it, a window in which all
    decisions lie close together gives a slope that sends the next month to 0 or 1.
    """
    design = np.column_stack([decision, np.ones(decision.size)])
    theta = np.array([1.0, 0.0])
    prior = np.array([SLOPE_PRECISION, 1e-3])
    for _ in range(100):
        found = sigmoid(design @ theta)
        gradient = design.T @ (label - found) - prior * (theta - [1.0, 0.0])
        weight = np.maximum(found * (1 - found), 1e-9)
        curvature = (design * weight[:, None]).T @ design + np.diag(prior)
        step = np.linalg.solve(curvature, gradient)
        theta = theta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-10:
            break
    slope, intercept = float(theta[0]), float(theta[1])
    if slope <= 0:
        rate = np.array([(label.sum() + 0.5) / (label.size + 1)])
        return Calibrator("platt", 0.0, float(log_odds(rate)[0]))
    return Calibrator("platt", slope, intercept)


def _isotonic(decision: Floats, label: Ints) -> Calibrator:
    from sklearn.isotonic import IsotonicRegression

    edge = 1.0 / (label.size + 2)  # never promise certainty
    fitted = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip").fit(decision, label)
    return Calibrator(
        "isotonic",
        x=tuple(fitted.X_thresholds_.astype(float).tolist()),
        y=tuple(fitted.y_thresholds_.astype(float).tolist()),
    )
