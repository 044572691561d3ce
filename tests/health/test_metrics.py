"""The registry of metrics: checked at the door, documented, complete."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.utils import translation

from accounts.models import TraitDefinition, Workspace
from cs_platform.lib.registry import UnknownName
from cs_platform.lib.scoping import NoScope, workspace_scope
from health.defaults import SCORECARD
from health.metrics.catalogue import all_metrics, ensure_positions, find_metric, is_metric, known_positions
from health.models import KeyFeature
from health.registry import GROUP_LABELS, Metric, MetricGroup, Unit, metric_sources, metrics
from health.risks.spec import risk_rules
from tests.builders import make_workspace

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
WANTED = """
    days_since_last_seen active_days_7 active_days_28 dau wau mau stickiness active_contacts_28 licence_utilisation
    features_used_28 key_features_adopted usage_change_28 intensity tenure_days days_to_renewal price_change_180
    plan_changes_365 open_tickets tickets_28 failed_payments_90 days_since_csm_touch mrr_minor seats champion_left_60
""".split()
DERIVED = {"health_score", "churn_probability"}


def test_what_the_product_promises_is_there() -> None:
    assert not set(WANTED) - set(metrics.names())


def test_default_scorecard_and_rules_name_known_metrics() -> None:
    named = {measure["metric"] for measure in SCORECARD["measures"]}
    named |= {column for rule in risk_rules for column in rule.columns} - DERIVED
    assert not named - set(metrics.names())


@pytest.mark.parametrize("name", metrics.names())
def test_every_metric_is_documented_with_its_formula(name: str) -> None:
    metric = metrics.get(name)
    with translation.override("en"):
        row = f"| `{name}` | {metric.label} | {metric.description} |"
    line = next((line for line in DOCUMENT.read_text().splitlines() if line.startswith(row)), "")
    assert line.endswith(f"| {metric.formula} |")


def test_groups_have_labels() -> None:
    assert set(GROUP_LABELS) == set(MetricGroup)


@pytest.mark.parametrize(
    "change",
    [
        {"sources": ("nowhere",)},
        {"better": "sideways"},
        {"formula": ""},
        {"unit": "miles"},
        {"group": "misc"},
    ],
)
def test_a_wrong_metric_is_refused(change: dict[str, object]) -> None:
    metric = metrics.get("seats")
    assert replace(metric) == metric
    with pytest.raises((ValueError, UnknownName)):
        replace(metric, **change)


def test_registration_is_checked_at_the_door() -> None:
    with pytest.raises(TypeError):
        metrics.register("seats")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="twice"):
        metrics.register(metrics.get("seats"))
    with pytest.raises(UnknownName):
        metric_sources.get("nowhere")


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.mark.django_db
def test_unknown_names_raise(workspace: Workspace) -> None:
    with workspace_scope(workspace.pk):
        assert find_metric("seats").unit == Unit.COUNT
        assert not is_metric("feature:Export")
        with pytest.raises(UnknownName):
            find_metric("feature:Export")


@pytest.mark.django_db
def test_families_follow_the_workspace(workspace: Workspace) -> None:
    with workspace_scope(workspace.pk):
        KeyFeature.objects.create(name="Export", label="Export of data")
        TraitDefinition.objects.create(key="size", label="Size", kind="number", use_in_model=False)
        TraitDefinition.objects.create(key="tier", label="Tier", kind="text")
        assert str(find_metric("feature:Export").label) == "Export of data"
        assert not find_metric("trait:size").in_model
        assert not is_metric("trait:tier")
    with pytest.raises(NoScope):
        all_metrics()


@pytest.mark.django_db
def test_places_are_append_only(workspace: Workspace) -> None:
    with workspace_scope(workspace.pk):
        first = ensure_positions(["b", "a"])
        assert first == {"b": 0, "a": 1}
        assert ensure_positions(["c", "a"]) == first | {"c": 2} == known_positions()


def test_metric_is_frozen() -> None:
    with pytest.raises(AttributeError):
        metrics.get("seats").name = "x"  # type: ignore[misc]
    assert isinstance(metrics.get("seats"), Metric)
