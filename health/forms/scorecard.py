"""The scorecard editor's form: rows of a draft from and to a request, mistakes beside their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

TENURE_ROWS = 3
TYPED = 200  # characters kept of one value
NEW_MEASURE = {"weight": "10", "direction": "up", "red": "", "green": "", "missing": "redistribute"}
OPTIONAL = {"direction": "up", "missing": "redistribute", "half_life_days": ""}
DIRECTIONS = [("up", _("Higher is better")), ("down", _("Lower is better"))]
MISSING = [
    ("redistribute", _("Leave out, share the weight among the others")),
    ("decay", _("Last value, fading")),
    ("poor", _("Treat as poor")),
]

# Sentences of `health/scoring/parsing.py`, by code, in the reader's language.
PROBLEMS = {
    "empty": _("Add at least one measure."),
    "required": _("Fill in this value."),
    "not_a_number": _("Enter a number."),
    "out_of_range": _("Enter a number from %(low)s to %(high)s."),
    "unknown_metric": _("Choose a metric from the list."),
    "metric_twice": _("This metric is measured twice; keep one and add up the weights."),
    "no_weight": _("Give at least one measure a weight above 0."),
    "order_up": _("Higher is better here, so green must be above red."),
    "order_down": _("Lower is better here, so green must be below red."),
    "tenure_twice": _("Two bands begin at %(days)s days; keep one."),
    "not_measured": _("This metric is not a measure of this scorecard; add it (weight 0 is allowed)."),
    "bands_order": _("The edge of green must be above the edge of yellow."),
}


@dataclass
class Row:
    """One measure or exception as typed; `errors` by field."""

    values: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)
    tenure: list[dict[str, str]] = field(default_factory=list)


@dataclass
class ScorecardForm:
    """Everything that the editor shows. Values are the texts that were typed: nothing is lost."""

    measures: list[Row]
    exceptions: list[Row]
    bands: Row
    errors: list[str] = field(default_factory=list)

    @classmethod
    def of_definition(cls, definition: Mapping[str, Any]) -> ScorecardForm:
        measures = [
            Row({**OPTIONAL, **_texts(m)}, tenure=[_texts(b) for b in m.get("tenure_bands") or []])
            for m in definition["measures"]
        ]
        return cls(
            measures=[_padded(row) for row in measures],
            exceptions=[Row(_texts(e)) for e in definition.get("exceptions", [])],
            bands=Row(_texts(definition.get("bands", {"yellow": 50, "green": 75}))),
        )

    @classmethod
    def of_request(cls, data: QueryDict) -> ScorecardForm:
        """Rows by index ("m0-weight"), in the order of the page; removed rows are simply not there."""
        form = cls(
            measures=[_padded(_measure(data, index)) for index in _indexes(data, "m")],
            exceptions=[Row(_fields(data, f"e{i}", ("metric", "when", "cap"))) for i in _indexes(data, "e")],
            bands=Row(_fields(data, "b", ("yellow", "green"))),
        )
        form._act(data.get("do", ""))
        return form

    def _act(self, act: str) -> None:
        """Buttons that change the form itself; they work without JavaScript."""
        verb, _dash, place = act.partition("-")
        if act == "add_measure":
            self.measures.append(_padded(Row({"metric": "", **NEW_MEASURE})))
        elif act == "add_exception":
            self.exceptions.append(Row({"metric": "", "when": "red", "cap": "74"}))
        elif verb == "drop_measure" and place.isdecimal() and int(place) < len(self.measures):
            gone = self.measures.pop(int(place)).values["metric"]
            self.exceptions = [row for row in self.exceptions if row.values["metric"] != gone]
        elif verb == "drop_exception" and place.isdecimal() and int(place) < len(self.exceptions):
            self.exceptions.pop(int(place))

    def definition(self) -> dict[str, Any]:
        """The draft as JSON for `parse_definition`: numbers where they can be read, else the text."""
        return {
            "measures": [_definition_of(row) for row in self.measures],
            "exceptions": [
                {"metric": r.values["metric"], "when": r.values["when"], "cap": _number(r.values["cap"])}
                for r in self.exceptions
            ],
            "bands": {key: _number(value) for key, value in self.bands.values.items()},
        }

    @property
    def has_errors(self) -> bool:
        rows = [*self.measures, *self.exceptions, self.bands]
        return bool(self.errors) or any(row.errors for row in rows)

    def show(self, problems: Any) -> None:
        """Put each problem beside its field; what belongs to none goes on top."""
        for problem in problems:
            words = _words(problem)
            parts = problem.field.split(".")
            row = self._row(parts)
            if row is None:
                self.errors.append(words)
            else:
                row.errors[parts[2] if parts[0] != "bands" else parts[-1]] = words

    def _row(self, parts: list[str]) -> Row | None:
        rows = {"measures": self.measures, "exceptions": self.exceptions}.get(parts[0])
        if parts[0] == "bands":
            return self.bands
        if rows is None or len(parts) < 3 or not parts[1].isdecimal() or int(parts[1]) >= len(rows):
            return None
        return rows[int(parts[1])]


def _words(problem: Any) -> str:
    sentence = PROBLEMS.get(problem.code)
    return str(sentence) % problem.params if sentence else gettext("Please correct this value.")


def _indexes(data: QueryDict, prefix: str) -> list[int]:
    found = {
        int(name[len(prefix) : name.index("-")])
        for name in data
        if name.endswith("-metric")
        and name[len(prefix) : name.index("-")].isdecimal()
        and name.startswith(prefix)
    }
    return sorted(found)


def _fields(data: QueryDict, prefix: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: data.get(f"{prefix}-{name}", "").replace("\x00", "").strip()[:TYPED] for name in names}


def _measure(data: QueryDict, index: int) -> Row:
    names = ("metric", "weight", "direction", "red", "green", "missing", "half_life_days")
    tenure = [
        _fields(data, f"m{index}-t{place}", ("min_tenure_days", "red", "green"))
        for place in range(TENURE_ROWS)
    ]
    return Row(_fields(data, f"m{index}", names), tenure=tenure)


def _padded(row: Row) -> Row:
    """Always room for `TENURE_ROWS` bands; empty ones are no bands."""
    filled = [band for band in row.tenure if any(band.values())]
    row.tenure = filled + [{"min_tenure_days": "", "red": "", "green": ""}] * (TENURE_ROWS - len(filled))
    return row


def _definition_of(row: Row) -> dict[str, Any]:
    found = {key: row.values[key] for key in ("metric", "direction", "missing")}
    found |= {key: _number(row.values[key]) for key in ("weight", "red", "green")}
    if row.values.get("half_life_days"):
        found["half_life_days"] = _number(row.values["half_life_days"])
    bands = [band for band in row.tenure if any(band.values())]
    found["tenure_bands"] = [
        {key: _number(value, whole=key == "min_tenure_days") for key, value in b.items()} for b in bands
    ]
    return found


def _number(text: Any, *, whole: bool = False) -> Any:
    try:
        value = float(str(text).replace(",", "."))
    except ValueError:
        return text or None
    if not isfinite(value):  # JSON knows neither infinity nor "not a number"
        return text
    return int(value) if whole and value.is_integer() else value


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _text(value) for key, value in values.items() if key != "tenure_bands"}


def _text(value: Any) -> str:
    """The whole number, so that opening and saving changes nothing."""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return "" if value is None else str(value)
