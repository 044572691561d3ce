"""Metrics of the workspace's own rows: key features and traits, read together."""

from __future__ import annotations

from django.db.models import CharField, Value, Window
from django.db.models.functions import Cast, RowNumber

from accounts.models import TraitDefinition
from health.metrics.traits import trait_metric
from health.metrics.usage import feature_metric
from health.models import KeyFeature
from health.registry import Metric, MetricFamily

FEATURE, TRAIT = 0, 1


def _own_metrics() -> list[Metric]:
    """Features in the order that the admin gave them, then the traits that are numbers, by key; one query."""
    features = KeyFeature.objects.order_by().values_list(
        Value(FEATURE),
        Window(RowNumber(), order_by=["position", "id"]),
        "id",
        "name",
        "label",
        Value(""),
        Value(False),
    )
    numeric = TraitDefinition.objects.exclude(kind=TraitDefinition.Kind.TEXT)
    traits = numeric.order_by().values_list(
        Value(TRAIT),
        Window(RowNumber(), order_by="key"),
        "id",
        Cast("key", KeyFeature._meta.get_field("name")),
        Cast("label", CharField()),
        "kind",
        "use_in_model",
    )
    found = sorted(features.union(traits, all=True), key=lambda row: row[:2])
    return [_metric(*row[2:], is_feature=row[0] == FEATURE) for row in found]


def _metric(pk: int, name: str, label: str, kind: str, use_in_model: bool, *, is_feature: bool) -> Metric:
    if is_feature:
        return feature_metric(pk, name, label)
    return trait_metric(TraitDefinition(pk=pk, key=name, label=label, kind=kind, use_in_model=use_in_model))


FAMILIES = (MetricFamily("own", _own_metrics),)
