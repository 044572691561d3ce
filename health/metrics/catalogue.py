"""The workspace's metrics by name, and their places in the snapshots."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Max

from cs_platform.lib.registry import UnknownName
from health.models import MetricPosition
from health.registry import Metric, metric_families, metrics


def all_metrics() -> dict[str, Metric]:
    """Registered metrics and those that the workspace's own rows add, in order of registration."""
    found = {metric.name: metric for metric in metrics}
    for family in metric_families:
        found |= {metric.name: metric for metric in family.expand()}
    return found


def find_metric(name: str) -> Metric:
    """One metric by name. Raises UnknownName."""
    if name in metrics:
        return metrics.get(name)
    found = all_metrics().get(name)
    if found is None:
        raise UnknownName(f"metric: {name!r} is unknown")
    return found


def is_metric(name: str) -> bool:
    """Whether the workspace has a metric of this name."""
    return name in metrics or name in all_metrics()


def known_positions() -> dict[str, int]:
    """Metric name to place (from 0) in `AccountSnapshot.values`."""
    return dict(MetricPosition.objects.order_by("position").values_list("key", "position"))


def ensure_positions(names: Iterable[str]) -> dict[str, int]:
    """Give every name a place, once and for ever; places of names that are gone stay taken."""
    known = known_positions()
    missing = [name for name in names if name not in known]
    if missing:
        last = MetricPosition.objects.aggregate(last=Max("position"))["last"]
        first = 0 if last is None else last + 1
        rows = [MetricPosition(key=name, position=first + i) for i, name in enumerate(missing)]
        MetricPosition.objects.bulk_create(rows, ignore_conflicts=True)
        known = known_positions()
    return known
