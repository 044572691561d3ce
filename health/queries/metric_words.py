"""Metrics as people read them: the name, and the value with its unit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy, ngettext

from cs_platform.lib.formats import money
from health.registry import Metric, Unit, metric_families, metrics

# Columns of a model that are no metrics: facts of the account and of its contract.
COLUMNS = {
    "industry": gettext_lazy("Industry"),
    "country": gettext_lazy("Country"),
    "plan": gettext_lazy("Plan"),
    "billing_interval": gettext_lazy("Billing interval"),
    "term_months": gettext_lazy("Term in months"),
}


@dataclass(frozen=True, slots=True)
class MetricWords:
    """Labels and units of the workspace's metrics; families are read once, and only if needed."""

    extra: dict[str, Metric]
    currency: str

    def metric(self, name: str) -> Metric | None:
        return metrics.get(name) if name in metrics else self.extra.get(name)

    def label(self, name: str) -> str:
        """The metric's label; a name nobody registered (a trait of a model) is shown as words."""
        if found := self.metric(name):
            return str(found.label)
        return str(COLUMNS.get(name) or name.rpartition(":")[2].replace("_", " ").capitalize())

    def value(self, name: str, value: Any) -> str:
        """The value with its unit, for the language in force."""
        if value is None or value == "":
            return gettext("no data")
        if not isinstance(value, int | float):
            return str(value)
        found = self.metric(name)
        return _written(
            value, found.unit if found else Unit.NUMBER, found.decimals if found else 1, self.currency
        )


def metric_words(names: set[str], currency: str) -> MetricWords:
    """Words for these metrics. Queries only when one of them belongs to a family."""
    extra: dict[str, Metric] = {}
    if any(name not in metrics for name in names):
        extra = {metric.name: metric for family in metric_families for metric in family.expand()}
    return MetricWords(extra, currency)


def _written(value: float, unit: str, decimals: int, currency: str) -> str:
    if unit == Unit.MONEY:
        return money(round(value), currency)
    if unit == Unit.YES_NO:
        return gettext("yes") if value else gettext("no")
    text = _number(value, decimals)
    if unit == Unit.PERCENT:
        return f"{text}%"
    if unit == Unit.DAYS:
        return ngettext("%(count)s day", "%(count)s days", round(abs(value))) % {"count": text}
    return text


def _number(value: float, decimals: int) -> str:
    """Fixed decimals, without a fraction where there is none."""
    rounded = round(Decimal(str(value)), decimals)
    places = 0 if rounded == rounded.to_integral_value() else decimals
    return number_format(rounded, decimal_pos=places, use_l10n=True, force_grouping=True)
