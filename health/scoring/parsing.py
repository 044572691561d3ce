"""Reads a scorecard draft and names every mistake in it, in one round."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from health.scoring.definition import (
    DEFAULT_HALF_LIFE_DAYS,
    DIRECTIONS,
    LIMIT_STATES,
    MISSING_RULES,
    Bands,
    Direction,
    ExceptionRule,
    Measure,
    ScorecardDefinition,
    TenureBand,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a draft: the field as a path ("measures.0.red"), a stable code, values, a sentence."""

    field: str
    code: str
    params: Mapping[str, Any]
    message: str


class DefinitionError(ValueError):
    """A draft that cannot be scored; `problems` names every field that must change."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.message}" for p in problems))


SENTENCES = {
    "not_an_object": "Must be an object with named values.",
    "not_a_list": "Must be a list.",
    "empty": "Add at least one measure.",
    "required": "Fill in this value.",
    "not_a_number": "Enter a number.",
    "out_of_range": "Enter a number from {low} to {high}.",
    "not_a_choice": "Choose one of: {choices}.",
    "unknown_key": "This name is not known here; remove it or correct it.",
    "unknown_metric": "There is no metric {metric}; choose one from the catalogue.",
    "metric_twice": "{metric} is measured twice; keep one and add up the weights.",
    "no_weight": "Give at least one measure a weight above 0.",
    "order_up": "Higher is better here, so green ({green}) must be above red ({red}).",
    "order_down": "Lower is better here, so green ({green}) must be below red ({red}).",
    "tenure_twice": "Two bands begin at {days} days; keep one.",
    "not_measured": "{metric} is not a measure of this scorecard; add it (weight 0 is allowed).",
    "bands_order": "The green edge ({green}) must be above the yellow edge ({yellow}).",
}

MEASURE_KEYS = frozenset(
    {"metric", "weight", "direction", "red", "green", "tenure_bands", "missing", "half_life_days"}
)


class _Reader:
    """Collects problems while it reads values, so that one round shows them all."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def complain(self, field: str, code: str, **params: Any) -> None:
        self.problems.append(Problem(field, code, params, SENTENCES[code].format(**params)))

    def mapping(self, raw: Any, field: str, keys: Container[str]) -> Mapping[str, Any]:
        if not isinstance(raw, Mapping):
            self.complain(field, "not_an_object")
            return {}
        for key in raw:
            if key not in keys:
                self.complain(f"{field}.{key}".lstrip("."), "unknown_key")
        return raw

    def listing(self, raw: Any, field: str) -> list[Any]:
        if isinstance(raw, (list, tuple)):
            return list(raw)
        self.complain(field, "not_a_list")
        return []

    def number(
        self,
        raw: Mapping[str, Any],
        key: str,
        field: str,
        *,
        low: float = -math.inf,
        high: float = math.inf,
        default: float | None = None,
    ) -> float:
        value = raw.get(key, default)
        place = f"{field}.{key}"
        if value is None or value == "":
            self.complain(place, "required")
        elif isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            self.complain(place, "not_a_number")
        elif not low <= value <= high:
            self.complain(place, "out_of_range", low=low, high=high)
        else:
            return float(value)
        return math.nan

    def choice(
        self, raw: Mapping[str, Any], key: str, field: str, choices: tuple[str, ...], default: str
    ) -> Any:
        value = raw.get(key, default)
        if value not in choices:
            self.complain(f"{field}.{key}", "not_a_choice", choices=", ".join(choices))
            return default
        return value


def parse_definition(
    raw: Any, *, known_metrics: Container[str] | Callable[[str], bool] | None = None
) -> ScorecardDefinition:
    """Read `Scorecard.definition`; `known_metrics` (a container or a predicate) refuses unknown names.

    Raises DefinitionError with every problem found.
    """
    reader = _Reader()
    top = reader.mapping(raw, "", {"measures", "exceptions", "bands"})
    is_known = known_metrics.__contains__ if isinstance(known_metrics, Container) else known_metrics
    measures = tuple(
        _measure(reader, item, f"measures.{at}", is_known)
        for at, item in enumerate(reader.listing(top.get("measures", []), "measures"))
    )
    _check_measures(reader, measures)
    names = {measure.metric for measure in measures}
    exceptions = tuple(
        _exception(reader, item, f"exceptions.{at}", names)
        for at, item in enumerate(reader.listing(top.get("exceptions", []), "exceptions"))
    )
    bands = _bands(reader, top.get("bands", {}))
    if reader.problems:
        raise DefinitionError(reader.problems)
    return ScorecardDefinition(measures, exceptions, bands)


def _measure(reader: _Reader, raw: Any, field: str, is_known: Callable[[str], bool] | None) -> Measure:
    item = reader.mapping(raw, field, MEASURE_KEYS)
    metric = str(item.get("metric") or "")
    if not metric:
        reader.complain(f"{field}.metric", "required")
    elif is_known is not None and not is_known(metric):
        reader.complain(f"{field}.metric", "unknown_metric", metric=metric)
    direction: Direction = reader.choice(item, "direction", field, DIRECTIONS, "up")
    red, green = _thresholds(reader, item, field, direction)
    return Measure(
        metric=metric,
        weight=reader.number(item, "weight", field, low=0, high=1_000_000),
        red=red,
        green=green,
        direction=direction,
        tenure_bands=_tenure_bands(reader, item, field, direction),
        missing=reader.choice(item, "missing", field, MISSING_RULES, "redistribute"),
        half_life_days=reader.number(
            item, "half_life_days", field, low=1, high=3650, default=DEFAULT_HALF_LIFE_DAYS
        ),
    )


def _thresholds(
    reader: _Reader, raw: Mapping[str, Any], field: str, direction: Direction
) -> tuple[float, float]:
    red, green = reader.number(raw, "red", field), reader.number(raw, "green", field)
    wrong = green <= red if direction == "up" else green >= red
    if wrong:
        reader.complain(f"{field}.green", f"order_{direction}", red=red, green=green)
    return red, green


def _tenure_bands(
    reader: _Reader, raw: Mapping[str, Any], field: str, direction: Direction
) -> tuple[TenureBand, ...]:
    found: dict[float, TenureBand] = {}
    for at, entry in enumerate(reader.listing(raw.get("tenure_bands") or [], f"{field}.tenure_bands")):
        place = f"{field}.tenure_bands.{at}"
        item = reader.mapping(entry, place, {"min_tenure_days", "red", "green"})
        days = reader.number(item, "min_tenure_days", place, low=0, high=36_500)
        red, green = _thresholds(reader, item, place, direction)
        if days in found:
            reader.complain(f"{place}.min_tenure_days", "tenure_twice", days=int(days))
        elif not math.isnan(days):
            found[days] = TenureBand(int(days), red, green)
    return tuple(found[days] for days in sorted(found))


def _check_measures(reader: _Reader, measures: tuple[Measure, ...]) -> None:
    if not measures:
        reader.complain("measures", "empty")
        return
    seen: set[str] = set()
    for at, measure in enumerate(measures):
        if measure.metric and measure.metric in seen:
            reader.complain(f"measures.{at}.metric", "metric_twice", metric=measure.metric)
        seen.add(measure.metric)
    if not any(measure.weight > 0 for measure in measures):
        reader.complain("measures", "no_weight")


def _exception(reader: _Reader, raw: Any, field: str, names: set[str]) -> ExceptionRule:
    item = reader.mapping(raw, field, {"metric", "when", "cap"})
    metric = str(item.get("metric") or "")
    if metric not in names:
        reader.complain(f"{field}.metric", "not_measured", metric=metric or "?")
    when = reader.choice(item, "when", field, LIMIT_STATES, "red")
    return ExceptionRule(metric, when, reader.number(item, "cap", field, low=0, high=100))


def _bands(reader: _Reader, raw: Any) -> Bands:
    item = reader.mapping(raw, "bands", {"yellow", "green"})
    yellow = reader.number(item, "yellow", "bands", low=0, high=100, default=50.0)
    green = reader.number(item, "green", "bands", low=0, high=100, default=75.0)
    if green <= yellow:
        reader.complain("bands.green", "bands_order", yellow=yellow, green=green)
    return Bands(yellow, green)
