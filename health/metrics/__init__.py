"""The platform's own metrics, grouped by noun. Each is an SQL expression over set-based sources."""

from __future__ import annotations


def register_metrics() -> None:
    """Fill the registries; called once when the app is ready."""
    from health.metrics import billing, own, relationship, support, traits, usage
    from health.registry import metric_families, metric_sources, metrics

    modules = (usage, billing, support, relationship, traits)
    for source in (source for module in modules for source in module.SOURCES):
        metric_sources.register(source)
    for module in modules:
        for metric in module.definitions():
            metrics.register(metric)
        for family in module.FAMILIES:
            metric_families.register(family)
    for family in own.FAMILIES:
        metric_families.register(family)
