"""Whether a model is found where there is signal, and refused where there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from health import ml
from health.ml.split import make_split
from tests.health.ml.tables import snapshot, weekly, with_feature


@pytest.mark.slow
def test_a_real_signal_over_time_goes_live() -> None:
    table = weekly()
    score = 50 + 20 * np.random.default_rng(1).normal(size=table.size)
    record = ml.train_model(replace(table, health_score=score)).record
    assert record.live
    assert record.split == "time_embargo"
    assert record.roc_auc_low is not None
    assert record.roc_auc_low > 0.6
    assert record.features[0]["name"] == "usage"
    assert record.baselines["health_score"]["roc_auc"] < 0.56
    assert record.baselines["days_to_renewal"] is None
    assert record.by_kind["voluntary"]["rows_churned"] > record.by_kind["involuntary"]["rows_churned"] > 0
    assert sum(b["rows"] for b in record.calibration) > 1000


def test_noise_is_no_better_than_chance() -> None:
    table = snapshot(signal=0.0)
    record = ml.train_model(table).record
    assert record.reason.code in {"no_better_than_chance", "loses_to_constant"}
    assert not record.live


def test_a_model_that_only_repeats_the_health_score_is_refused() -> None:
    table = snapshot()
    usage = table.features.values[:, 0]
    only = table.without({"seats", "plan"})
    record = ml.train_model(replace(only, health_score=50 + 10 * usage)).record
    assert record.reason.code == "loses_to_health_score"


def test_too_few_churned_accounts_is_an_answer() -> None:
    table = snapshot(400)
    few = table.rows((table.label == 0) | (np.cumsum(table.label) <= 49))
    result = ml.train_model(few)
    assert result.model is None
    assert result.record.reason.code == "too_few_churned"
    assert result.record.reason.sentence == "Too few churned accounts: 49 of 50 needed."
    assert result.record.as_json()["roc_auc"] is None


@pytest.mark.parametrize("rows", [0, 1])
def test_an_empty_workspace_gets_the_same_answer(rows: int) -> None:
    record = ml.train_model(snapshot(60).rows(np.arange(rows))).record
    assert record.reason.params == {"churned": record.churned, "needed": 50}


def test_the_record_is_plain_json() -> None:
    found = ml.train_model(snapshot(600)).record.as_json()
    text = json.dumps(found, allow_nan=False)
    wanted = {"live", "reason", "roc_auc", "average_precision", "top_decile_lift", "brier_score", "ece"}
    assert wanted | {"baselines", "rows", "churned", "split"} <= json.loads(text).keys()


def test_training_twice_gives_the_same_model() -> None:
    first, second = (ml.train_model(snapshot(600)).model for _ in range(2))
    assert first is not None
    assert second is not None
    assert ml.dump(first) == ml.dump(second)


LEAKS: list[tuple[ml.FeatureSpec, Any, str]] = [
    (ml.FeatureSpec("answer"), lambda y, rng: y + rng.normal(0, 0.2, y.size), "separates"),
    (ml.FeatureSpec("exit_survey_score", source="trait"), lambda y, rng: rng.random(y.size), "names_the_end"),
    (
        ml.FeatureSpec("churn_flag", "categorical", ("FALSE", "TRUE"), "trait"),
        lambda y, rng: y,
        "names_the_end",
    ),
    (ml.FeatureSpec("refund"), lambda y, rng: np.where(y == 1, rng.random(y.size), np.nan), "separates"),
    (
        ml.FeatureSpec("state", "categorical", ("a", "b", "closed"), "trait", undated=True),
        lambda y, rng: np.where((y == 1) & (rng.random(y.size) < 0.4), 2, rng.integers(0, 2, y.size)),
        "pure_level",
    ),
    (ml.FeatureSpec("always_one"), lambda y, rng: np.ones(y.size), "constant"),
    (ml.FeatureSpec("never_known"), lambda y, rng: np.full(y.size, np.nan), "empty"),
]


@pytest.mark.parametrize(("spec", "make", "code"), LEAKS, ids=[spec.name for spec, _, _ in LEAKS])
def test_a_planted_leak_is_left_out_with_its_reason(spec: ml.FeatureSpec, make: Any, code: str) -> None:
    table = snapshot(800)
    planted = with_feature(table, spec, make(table.label, np.random.default_rng(4)))
    result = ml.train_model(planted)
    assert (spec.name, code) in {(leak["feature"], leak["code"]) for leak in result.record.left_out}
    assert result.model is not None
    assert spec.name not in {used.name for used in result.model.specs}
    assert result.record.roc_auc is not None
    assert result.record.roc_auc < 0.95


def test_an_admin_may_vouch_for_a_feature() -> None:
    spec = ml.FeatureSpec("contract_end_known", source="trait")
    table = with_feature(snapshot(800), spec, np.random.default_rng(0).random(800))
    result = ml.train_model(table, keep=frozenset({spec.name}))
    assert result.record.left_out == []


@pytest.mark.parametrize(
    ("name", "speaks"),
    [
        ("churn_flag", True),
        ("ChurnDate", True),
        ("cancelledAt", True),
        ("end_date", True),
        ("Lost", True),
        ("weekend_usage", False),
        ("seats", False),
        ("PhoneService", False),
        ("last_login", False),
        ("tenure", False),
    ],
)
def test_names_that_speak_of_the_end(name: str, speaks: bool) -> None:
    assert ml.names_the_end(name) is speaks


def test_the_embargo_is_as_long_as_the_horizon() -> None:
    table = weekly(300)
    split = make_split(table)
    assert split.kind == "time_embargo"
    seen: set[int] = set()
    for fold in split.folds:
        assert table.as_of[fold.train].max() + table.horizon_days <= table.as_of[fold.test].min()
        assert not seen & set(fold.test.tolist())
        seen |= set(fold.test.tolist())


def test_one_snapshot_is_split_by_account() -> None:
    table = snapshot(500)
    twice = table.rows(np.repeat(np.arange(500), 2))
    split = make_split(twice)
    assert split.kind == "by_account"
    for fold in split.folds:
        assert not set(twice.account_ids[fold.train]) & set(twice.account_ids[fold.test])
    assert sorted(np.concatenate([fold.test for fold in split.folds]).tolist()) == list(range(1000))


def test_what_happens_later_changes_no_earlier_judgement() -> None:
    """A fold's predictions depend only on rows whose label was known before its first day."""
    from health.ml.recipe import Recipe, fit_calibrated

    table = weekly(300)
    fold = make_split(table).folds[1]
    start = int(table.as_of[fold.test].min())
    later = table.as_of + table.horizon_days > start
    scrambled = table.features.values.copy()
    scrambled[later] = np.random.default_rng(9).normal(size=(int(later.sum()), 2)) * 50
    other = replace(
        table,
        features=ml.FeatureMatrix(table.features.specs, scrambled),
        label=np.where(later, 1 - table.label, table.label),
    )
    same_fold = make_split(other)
    recipe = Recipe("logistic", "time_embargo")
    judged = table.features.rows(fold.test)
    found = [
        calibrator.probability(model.decision(judged))
        for model, calibrator in (
            fit_calibrated(recipe, table.rows(fold.train)),
            fit_calibrated(recipe, other.rows(same_fold.folds[1].train)),
        )
    ]
    assert found[0].tolist() == found[1].tolist()


def test_misshapen_tables_are_refused() -> None:
    table = snapshot(50)
    with pytest.raises(ValueError, match="label must be 0 or 1"):
        replace(table, label=table.label + 5)
    with pytest.raises(ValueError, match="account_ids must have shape"):
        replace(table, account_ids=np.arange(3))
    with pytest.raises(ValueError, match="same name"):
        ml.FeatureMatrix((ml.FeatureSpec("a"), ml.FeatureSpec("a")), np.zeros((2, 2)))
