"""The two kinds of model, as arrays: applied with numpy alone, learned with scikit-learn.

Both give a decision value in log-odds; `calibration` turns it into a probability.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from health.ml.table import Floats, Ints

PENALTIES = (0.0003, 0.003, 0.03, 0.3, 3.0)
BOOSTING_ROUNDS = 200
BOOSTING_RATE = 0.05
BOOSTING_DEPTH = 3
CHUNK_ROWS = 16_384
LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, slots=True)
class Logistic:
    """decision = intercept + columns @ coefficients, on standardised columns.

    The average row is all zeros, so the intercept is the base of the contributions.
    """

    intercept: float
    coefficients: Floats

    @property
    def base(self) -> float:
        """Decision of the average row."""
        return self.intercept

    def decision(self, columns: Floats) -> Floats:
        """Log-odds (N,) of standardised columns (N, P)."""
        return np.asarray(columns @ self.coefficients + self.intercept)

    def contributions(self, columns: Floats, groups: Ints, features: int) -> Floats:
        """Coefficient times distance from the population's mean, summed per feature (N, F)."""
        out = np.zeros((columns.shape[0], features), order="F")
        for at, group in enumerate(groups.tolist()):
            own = out[:, group]
            own += columns[:, at] * self.coefficients[at]
        return out


@dataclass(frozen=True, slots=True)
class Tree:
    """Node arrays of one regression tree; node 0 is the root, a leaf has feature -1.

    A row goes left where its value <= threshold, or where it is missing and `missing_left`. `value` of an
    inner node is the mean of its leaves weighted by training rows.
    """

    feature: NDArray[np.int32]
    threshold: Floats
    missing_left: NDArray[np.bool_]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Floats

    def predict(self, columns: Floats) -> Floats:
        """Leaf value of each row."""
        return self._below(0, columns, {})

    def _goes_left(self, node: int, columns: Floats, known: dict[Any, Any]) -> NDArray[np.bool_]:
        feature, threshold = int(self.feature[node]), float(self.threshold[node])
        key = (feature, threshold, bool(self.missing_left[node]))
        if key not in known:
            values = columns[:, feature]
            left = values <= threshold
            known[key] = left | np.isnan(values) if self.missing_left[node] else left
        found: NDArray[np.bool_] = known[key]
        return found

    def _below(self, node: int, columns: Floats, known: dict[Any, Any]) -> Floats:
        if self.feature[node] < 0:
            return np.broadcast_to(self.value[node], columns.shape[0])
        goes_left = self._goes_left(node, columns, known)
        left = self._below(int(self.left[node]), columns, known)
        right = self._below(int(self.right[node]), columns, known)
        return np.where(goes_left, left, right)

    def paths(self, columns: Floats, add_to: Floats, groups: Ints, known: dict[Any, Any]) -> None:
        """Add each split's change of the node value to the split's feature (path contributions)."""
        stack = [(0, np.ones(columns.shape[0], dtype=bool))]
        while stack:
            node, here = stack.pop()
            if self.feature[node] < 0:
                continue
            goes_left = here & self._goes_left(node, columns, known)
            goes_right = here & ~goes_left
            low, high = int(self.left[node]), int(self.right[node])
            own = self.value[node]
            step = (self.value[low] - own) * goes_left + (self.value[high] - own) * goes_right
            add_to[:, groups[self.feature[node]]] += step
            stack += [(low, goes_left), (high, goes_right)]


@dataclass(frozen=True, slots=True)
class Boosted:
    """decision = baseline + sum of the trees, added in order."""

    baseline: float
    trees: tuple[Tree, ...]

    @property
    def base(self) -> float:
        """Decision of the average training row."""
        return self.baseline + float(sum(tree.value[0] for tree in self.trees))

    def decision(self, columns: Floats) -> Floats:
        """Log-odds (N,) of tree columns (N, Q)."""
        out = np.full(columns.shape[0], self.baseline)
        for rows in _chunks(columns.shape[0]):
            part, known = np.asfortranarray(columns[rows]), dict[Any, Any]()
            for tree in self.trees:
                out[rows] += tree._below(0, part, known)
        return out

    def contributions(self, columns: Floats, groups: Ints, features: int) -> Floats:
        """Path contributions (N, F): approximate, but they sum to decision - base."""
        out = np.zeros((columns.shape[0], features), order="F")
        for rows in _chunks(columns.shape[0]):
            part, known = np.asfortranarray(columns[rows]), dict[Any, Any]()
            own = np.zeros((part.shape[0], features), order="F")
            for tree in self.trees:
                tree.paths(part, own, groups, known)
            out[rows] = own
        return out


def _chunks(rows: int) -> Iterator[slice]:
    for start in range(0, rows, CHUNK_ROWS):
        yield slice(start, start + CHUNK_ROWS)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Threads that wait for each other beside busy workers made fitting ten times slower, not faster."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

    with threadpool_limits(limits=1):
        yield


def learn_logistic(columns: Floats, label: Ints, penalty: float) -> Logistic:
    """L2-penalised maximum likelihood; `penalty` is scikit-learn's C, larger = weaker."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with _one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LogisticRegression(C=penalty, max_iter=500).fit(columns, label)
    return Logistic(float(fitted.intercept_[0]), fitted.coef_[0].astype(float))


def learn_boosted(columns: Floats, label: Ints, seed: int = 0) -> Boosted:
    """Histogram gradient boosting with few, small trees at a low rate."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    learner = HistGradientBoostingClassifier(
        learning_rate=BOOSTING_RATE,
        max_depth=BOOSTING_DEPTH,
        max_iter=BOOSTING_ROUNDS,
        early_stopping=False,
        random_state=seed,
    )
    with _one_thread():
        fitted = learner.fit(columns, label)
    return boosted_from(fitted)


def boosted_from(fitted: Any) -> Boosted:
    """Node arrays of a fitted HistGradientBoostingClassifier with two classes."""
    trees = tuple(_tree(iteration[0].nodes) for iteration in fitted._predictors)
    return Boosted(float(np.ravel(fitted._baseline_prediction)[0]), trees)


def _tree(nodes: Any) -> Tree:
    value = nodes["value"].astype(float).copy()
    leaf = nodes["is_leaf"].astype(bool)
    count = nodes["count"].astype(float)
    left, right = nodes["left"].astype(np.int32), nodes["right"].astype(np.int32)
    for node in reversed(range(len(nodes))):  # children come after their parent
        if not leaf[node]:
            low, high = left[node], right[node]
            value[node] = (value[low] * count[low] + value[high] * count[high]) / (count[low] + count[high])
    return Tree(
        feature=np.where(leaf, -1, nodes["feature_idx"]).astype(np.int32),
        # A split on missing against known has an infinite threshold, which JSON cannot hold.
        threshold=np.nan_to_num(np.where(leaf, 0.0, nodes["num_threshold"]), posinf=LARGEST),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        left=left,
        right=right,
        value=value,
    )
