"""The playbook editor's form: rows of a draft from and to a request, mistakes beside their steps.

Values are what was typed, so that nothing is lost; `definition()` is the draft that `parse_sequence` reads.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.forms.rule_draft import Draft, as_json
from accounts.forms.segments import TreeWidget
from health.sequences import definition as d
from health.sequences.controls import CONTROLS
from health.sequences.parsing import Problem, kind_of
from health.sequences.spec import ControlStep, SequenceAction, StepField

NUMBERS = ("again_days", "at_most", "daily_cap", "holdout_percent", "window_days")
DEFAULTS: dict[str, Any] = {
    "again_days": d.DEFAULT_AGAIN_DAYS,
    "at_most": d.DEFAULT_AT_MOST,
    "daily_cap": d.DEFAULT_CAP,
    "holdout_percent": d.DEFAULT_HOLDOUT,
    "window_days": d.DEFAULT_WINDOW,
}
TYPED = 4000


@dataclass
class Value:
    """One field of a step as the template shows it."""

    spec: StepField
    name: str
    value: Any
    error: str = ""
    choices: list[tuple[str, Any]] = field(default_factory=list)
    tree: SafeString | str = ""


@dataclass
class Row:
    """One step as typed."""

    id: str
    kind: str
    values: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def spec(self) -> ControlStep | SequenceAction | None:
        return kind_of(self.kind)


@dataclass
class PlaybookForm:
    """Everything that the editor shows."""

    trigger: dict[str, Any]
    audience: Any
    exits: list[str]
    numbers: dict[str, Any]
    rows: list[Row]
    errors: dict[str, str] = field(default_factory=dict)
    acted: bool = False
    act: str = ""
    moved_to: int = 0

    def __post_init__(self) -> None:
        self._widget = TreeWidget()

    @classmethod
    def of_definition(cls, raw: Mapping[str, Any]) -> PlaybookForm:
        rows = []
        for item in raw.get("steps") or []:
            values = {key: value for key, value in item.items() if key not in ("id", "kind")}
            rows.append(Row(str(item.get("id", "")), str(item.get("kind", "")), values))
        trigger = dict(raw.get("trigger") or {})
        return cls(
            trigger={"on": "hand", "causes": [], "segment": "", "existing": False, **trigger},
            audience=raw.get("audience"),
            exits=list(raw.get("exits", ("risk_closed", "churned"))),
            numbers={name: raw.get(name, DEFAULTS[name]) for name in NUMBERS},
            rows=rows,
        )

    @classmethod
    def of_request(cls, data: QueryDict) -> PlaybookForm:
        """Rows by index ("s0-kind"), in the order of the page; removed rows are simply not there."""
        widget = TreeWidget()
        audience = widget.value_from_datadict(data, None, "audience") if "with_audience" in data else None
        form = cls(
            trigger={
                "on": data.get("on", ""),
                "causes": data.getlist("causes"),
                "segment": data.get("segment", ""),
                "existing": "existing" in data,
            },
            audience=audience,
            exits=[name for name in data.getlist("exits") if name in d.EXITS],
            numbers={name: data.get(name, "").strip()[:20] for name in NUMBERS},
            rows=[_row(data, index, widget) for index in _indexes(data)],
            act=data.get("do", ""),
        )
        trees = [audience, *(value for row in form.rows for value in row.values.values())]
        form.acted = any(isinstance(value, Draft) and value.acted for value in trees)
        form._do(data)
        return form

    def _do(self, data: QueryDict) -> None:
        """Buttons that change the form itself; they work without JavaScript."""
        verb, _dash, place = self.act.partition("-")
        at = int(place) if place.isdecimal() else -1
        if self.act == "add" and kind_of(data.get("new_kind", "")):
            self.rows.append(_new_row(data.get("new_kind", "")))
            self.moved_to = len(self.rows)
        elif verb == "drop" and 0 <= at < len(self.rows):
            self.rows.pop(at)
            self.moved_to = max(1, at)
        elif verb == "up" and 0 < at < len(self.rows):
            self._swap(at, at - 1)
        elif verb == "down" and 0 <= at < len(self.rows) - 1:
            self._swap(at, at + 1)
        elif self.act == "audience":
            self.audience = self._widget.draft(None)
            self.acted = True
        elif self.act == "everybody":
            self.audience = None

    def _swap(self, at: int, other: int) -> None:
        self.rows[at], self.rows[other] = self.rows[other], self.rows[at]
        self.moved_to = other + 1

    @property
    def changes_itself(self) -> bool:
        """A button of the form was pressed: nothing is checked yet."""
        return self.acted or self.act.partition("-")[0] in ("add", "drop", "up", "down", "everybody")

    def definition(self) -> dict[str, Any]:
        """The draft as JSON, mistakes included."""
        return {
            "trigger": self.trigger,
            "audience": self._tree_json(self.audience),
            "steps": [self._step_json(row) for row in self.rows],
            "exits": self.exits,
            **{name: _number(value) for name, value in self.numbers.items()},
        }

    def _step_json(self, row: Row) -> dict[str, Any]:
        values = {
            name: self._tree_json(value) if _is_tree(row, name) else value
            for name, value in row.values.items()
        }
        return {"id": row.id, "kind": row.kind, **values}

    def _tree_json(self, value: Any) -> Any:
        if not isinstance(value, Draft):
            return value
        return None if value.is_blank else as_json(value, self._widget.fields, self._widget.currency)

    def show(self, problems: Iterable[Problem]) -> None:
        """Put each mistake beside its field."""
        self._widget.show_all_errors = True
        for problem in problems:
            parts = problem.field.split(".")
            if parts[0] == "steps" and len(parts) > 1 and int(parts[1]) < len(self.rows):
                self.rows[int(parts[1])].errors[parts[2] if len(parts) > 2 else ""] = problem.message
            else:
                self.errors[problem.field.replace(".", "_")] = problem.message

    @property
    def has_errors(self) -> bool:
        return bool(self.errors) or any(row.errors for row in self.rows)

    def audience_tree(self) -> SafeString | str:
        return "" if self.audience is None else self._widget.render("audience", self.audience)

    def shown(self) -> list[dict[str, Any]]:
        """Rows for the template, with what each field may choose from."""
        choices: dict[Any, list[tuple[str, Any]]] = {}
        return [self._shown(at, row, choices) for at, row in enumerate(self.rows)]

    def _shown(self, at: int, row: Row, cache: dict[Any, list[tuple[str, Any]]]) -> dict[str, Any]:
        spec = row.spec
        fields = []
        for spec_field in spec.fields if spec else ():
            name = f"s{at}-{spec_field.name}"
            value = row.values.get(spec_field.name, spec_field.default)
            made = Value(spec_field, name, value, row.errors.get(spec_field.name, ""))
            if spec_field.type == "tree":
                made.tree = self._widget.render(name, value)
            elif spec_field.type == "target":
                made.choices = self._targets(at)
            elif spec_field.choices is not None:
                if spec_field.choices not in cache:
                    cache[spec_field.choices] = spec_field.choices()
                made.choices = _with_stale(cache[spec_field.choices], value)
            fields.append(made)
        return {
            "at": at,
            "number": at + 1,
            "row": row,
            "spec": spec,
            "fields": fields,
            "error": row.errors.get("", "") or row.errors.get("kind", ""),
            "is_first": at == 0,
            "is_last": at == len(self.rows) - 1,
        }

    def _targets(self, at: int) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = [
            (d.NEXT, gettext("Go on with the next step")),
            (d.END, gettext("End here")),
        ]
        for place, row in enumerate(self.rows):
            if place != at and row.spec is not None:
                words = gettext("Go to step %(n)d: %(label)s")
                found.append((f"{d.TO_STEP}{row.id}", words % {"n": place + 1, "label": row.spec.label}))
        return found


def _with_stale(choices: list[tuple[str, Any]], value: Any) -> list[tuple[str, Any]]:
    """A chosen value that is no longer there stays in sight, so that it is not changed unseen."""
    if not value or str(value) in {str(key) for key, _label in choices}:
        return choices
    return [*choices, (str(value), gettext("(no longer there)"))]


def _is_tree(row: Row, name: str) -> bool:
    return any(f.name == name and f.type == "tree" for f in (row.spec.fields if row.spec else ()))


def _indexes(data: QueryDict) -> list[int]:
    found = [name[1:-5] for name in data if name.startswith("s") and name.endswith("-kind")]
    return sorted({int(text) for text in found if text.isdecimal()})[: d.MOST_STEPS + 1]


def _row(data: QueryDict, index: int, widget: TreeWidget) -> Row:
    kind = data.get(f"s{index}-kind", "")[:60]
    spec = kind_of(kind)
    values: dict[str, Any] = {}
    for spec_field in spec.fields if spec else ():
        name = f"s{index}-{spec_field.name}"
        if spec_field.type == "tree":
            values[spec_field.name] = widget.value_from_datadict(data, None, name)
        elif spec_field.type == "checkbox":
            values[spec_field.name] = name in data
        else:
            values[spec_field.name] = _number_if(
                spec_field, data.get(name, "").replace("\x00", "").strip()[:TYPED]
            )
    return Row(data.get(f"s{index}-id", "")[:20] or _new_id(), kind, values)


def _new_row(kind: str) -> Row:
    spec = kind_of(kind)
    fields = spec.fields if spec else ()
    return Row(_new_id(), kind, {f.name: None if f.type == "tree" else f.default for f in fields})


def _new_id() -> str:
    return f"s{secrets.token_hex(4)}"


def _number(text: Any) -> Any:
    return int(text) if isinstance(text, str) and text.isdecimal() else text


def _number_if(spec_field: StepField, text: str) -> Any:
    return _number(text) if spec_field.type == "number" else text


def step_kinds(actions: Iterable[SequenceAction]) -> list[tuple[str, list[Any]]]:
    """What may be added, for the picker: first what acts, then what waits and chooses."""
    return [(gettext("Act"), list(actions)), (gettext("Wait and branch"), list(CONTROLS.values()))]
