"""Stored models: equal to scikit-learn, readable without it, explained part by part."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from health import ml
from health.ml.calibration import Calibrator, learn_calibrator
from health.ml.explain import contributions
from health.ml.model import ChurnModel, learn_reference
from health.ml.models import LARGEST, boosted_from
from health.ml.recipe import Algorithm, Recipe, fit
from tests.health.ml.tables import snapshot

ALGORITHMS: list[Algorithm] = ["logistic", "boosting"]


def model_of(algorithm: Algorithm, table: ml.TrainingTable) -> ChurnModel:
    core = fit(Recipe(algorithm, "by_account"), table)
    calibrator = learn_calibrator(core.decision(table.features), table.label)
    return ChurnModel(30, core, calibrator, learn_reference(table.features))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_stored_model_predicts_the_same_to_the_last_bit(algorithm: Algorithm) -> None:
    table = snapshot(700)
    model = model_of(algorithm, table)
    again = ml.load(json.loads(json.dumps(ml.dump(model), allow_nan=False)))
    assert again.predict(table.features).tolist() == model.predict(table.features).tolist()
    assert ml.dump(again) == ml.dump(model)


def test_boosting_equals_sklearn() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 5))
    y = (x[:, 0] * x[:, 1] + rng.normal(size=3000) > 0.5).astype(int)
    x[rng.random(x.shape) < 0.2] = np.nan
    fresh = rng.normal(size=(20_000, 5))
    fresh[rng.random(fresh.shape) < 0.3] = np.nan
    with threadpool_limits(limits=1):
        fitted = HistGradientBoostingClassifier(max_iter=60, max_depth=4, early_stopping=False).fit(x, y)
        expected = fitted.decision_function(fresh)
    assert np.abs(boosted_from(fitted).decision(fresh) - expected).max() < 1e-12


def test_logistic_and_isotonic_equal_sklearn() -> None:
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    table = snapshot(3000, seed=3)
    model = model_of("logistic", table)
    columns = model.core.encoder.linear(table.features)
    fitted = LogisticRegression(C=0.03, max_iter=500).fit(columns, table.label)
    decision = model.core.decision(table.features)
    assert np.abs(decision - fitted.decision_function(columns)).max() < 1e-12
    steps = IsotonicRegression(out_of_bounds="clip").fit(decision, table.label)
    own = Calibrator("isotonic", x=tuple(steps.X_thresholds_), y=tuple(steps.y_thresholds_))
    assert np.abs(own.probability(decision) - steps.predict(decision)).max() < 1e-12


def test_a_split_on_missing_values_survives_json() -> None:
    table = snapshot(700)
    gone = np.where(table.label == 1, np.nan, np.arange(700) % 7)
    values = np.column_stack([gone, table.features.values[:, 1:]])
    odd = replace(table, features=ml.FeatureMatrix(table.features.specs, values))
    model = model_of("boosting", odd)
    stored = json.dumps(ml.dump(model), allow_nan=False)
    assert repr(LARGEST) in stored  # scikit-learn's threshold is infinite here
    again = ml.load(json.loads(stored)).predict(odd.features)
    assert again.tolist() == model.predict(odd.features).tolist()
    assert again[table.label == 1].min() > again[table.label == 0].max()


def test_an_infinite_value_counts_as_missing() -> None:
    table = snapshot(600)
    model = model_of("logistic", table)
    values = table.features.values[:2].copy()
    values[0, 0], values[1, 0] = np.inf, np.nan
    values[1, 1:] = values[0, 1:]
    found = model.predict(ml.FeatureMatrix(table.features.specs, values))
    assert found[0] == found[1]


def test_applying_needs_no_sklearn() -> None:
    stored = json.dumps(ml.dump(model_of("boosting", snapshot(400))))
    code = (
        "import sys, json, numpy as np; from health import ml\n"
        "model = ml.load(json.loads(sys.stdin.read()))\n"
        "matrix = ml.FeatureMatrix(model.specs, np.zeros((2, len(model.specs))))\n"
        "model.predict(matrix); ml.top_reasons(model, matrix)\n"
        "sys.exit(any(name in sys.modules for name in ('sklearn', 'pandas', 'scipy', 'django')))"
    )
    run = subprocess.run([sys.executable, "-c", code], input=stored, text=True, check=False)
    assert run.returncode == 0


@pytest.mark.parametrize("raw", [None, {}, {"format": "churn-model/9"}, {"format": "churn-model/1"}])
def test_a_foreign_or_damaged_model_is_refused(raw: object) -> None:
    with pytest.raises(ml.UnreadableModel):
        ml.load(raw)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_contributions_sum_to_the_decision(algorithm: Algorithm) -> None:
    table = snapshot(700)
    model = model_of(algorithm, table)
    parts = contributions(model, table.features)
    whole = model.core.decision(table.features) - model.core.scorer.base
    assert parts.shape == (700, 3)
    assert np.abs(parts.sum(axis=1) - whole).max() < 1e-9


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_reasons_name_what_drives_the_risk(algorithm: Algorithm) -> None:
    table = snapshot(1500)
    model = model_of(algorithm, table)
    usage = table.features.values[:, 0]
    low, high = int(np.nanargmin(usage)), int(np.nanargmax(usage))
    reasons = ml.top_reasons(model, table.features, k=2)
    first = reasons.of(low)[0]
    assert (first.feature, first.direction, first.value) == ("active_days", "raises", usage[low])
    assert reasons.of(high)[0].direction == "lowers"
    raising = ml.top_reasons(model, table.features, k=3, only_raising=True)
    assert all(reason.contribution > 0 for row in range(50) for reason in raising.of(row))


def test_a_category_is_named_by_its_level() -> None:
    table = snapshot(1500).without({"active_days", "seats"})
    model = model_of("logistic", table)
    trial = int(np.flatnonzero(table.features.values[:, 0] == 2)[0])
    assert ml.top_reasons(model, table.features).of(trial)[0].value == "trial"


def test_columns_are_matched_by_name_and_levels_by_text() -> None:
    table = snapshot(600)
    model = model_of("logistic", table)
    usage, seats, plan = table.features.values.T
    specs = (
        ml.FeatureSpec("plan", "categorical", ("trial", "new plan", "pro", "basic"), source="trait"),
        ml.FeatureSpec("unrelated"),
        ml.FeatureSpec("seats"),
        ml.FeatureSpec("active_days"),
    )
    moved = np.array([3.0, 2.0, 0.0])[plan.astype(int)]
    other = ml.FeatureMatrix(specs, np.column_stack([moved, seats * 0, seats, usage]))
    assert model.predict(other).tolist() == model.predict(table.features).tolist()
    unknown = ml.FeatureMatrix(specs, np.column_stack([np.ones(600), seats, seats, usage]))
    assert np.isfinite(model.predict(unknown)).all()


def test_not_enough_data_is_an_answer() -> None:
    table = snapshot(600)
    known = model_of("logistic", table).enough_data(table.features)
    assert known.tolist() == (~np.isnan(table.features.values[:, 0])).tolist()


def test_drift_is_seen_per_feature() -> None:
    table = snapshot(2000)
    model = model_of("logistic", table)
    moved = table.features.values + np.array([1.0, 0.0, 0.0])
    drift = model.drift(ml.FeatureMatrix(table.features.specs, moved))
    assert drift["active_days"] > 0.25
    assert max(drift["seats"], drift["plan"]) < 0.01


def test_levers_lower_the_risk() -> None:
    table = snapshot(1500)
    model = model_of("logistic", table)
    worst = int(np.nanargmin(table.features.values[:, 0]))
    lever = ml.what_would_change_it(model, table.features, worst)[0]
    now = float(model.predict(table.features)[worst])
    assert lever.feature == "active_days"
    assert lever.probability == pytest.approx(now + lever.change)
    assert lever.change < 0
