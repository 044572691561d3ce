"""JSON to a tree, or every mistake in words. What is not known is a mistake, never skipped."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.segments.catalogue import find_field
from accounts.segments.fields import FieldKind, Form, Operator, SegmentField
from accounts.segments.tree import Group, Rule, Tree

MOST_RULES = 50
MOST_LEVELS = 5
MOST_VALUES = 200
LONGEST_TEXT = 300
MOST_DAYS = 3660
BIGGEST = 10**15
JOINERS = ("all", "any")


@dataclass(frozen=True)
class Problem:
    """`path` is the place in the tree: "" the root, "0.2" the third child of the first one."""

    path: str
    words: str | Promise


class TreeError(ValueError):
    """The tree cannot be read; `problems` names every mistake."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(" ".join(str(problem.words) for problem in problems))


def parse_tree(
    data: Any, *, without: Collection[str] = (), fields: Mapping[str, SegmentField] | None = None
) -> Tree:
    """Read a tree; fields whose `about` is in `without` are refused. Raises TreeError with all mistakes.

    `fields`: the workspace's fields (`all_fields`), where many trees are read at once.
    """
    reader = _Reader(frozenset(without), fields)
    root = reader.node(data, "", 1)
    if reader.rules > MOST_RULES:
        words = _("A rule has at most %(most)d conditions.") % {"most": MOST_RULES}
        reader.problems.append(Problem("", words))
    if reader.problems or root is None:
        raise TreeError(reader.problems)
    return Tree(root)


class _Reader:
    def __init__(self, without: frozenset[str], fields: Mapping[str, SegmentField] | None) -> None:
        self.without = without
        self._find = find_field if fields is None else fields.get
        self.problems: list[Problem] = []
        self.rules = 0
        self._fields: dict[str, SegmentField | None] = {}

    def node(self, data: Any, path: str, level: int) -> Group | Rule | None:
        if not isinstance(data, dict):
            return self._wrong(path, _("A condition is missing here."))
        joiner = next((name for name in JOINERS if name in data), None)
        if joiner is None:
            return self._rule(data, path)
        if set(data) != {joiner} or not isinstance(data[joiner], list):
            return self._wrong(path, _("A group holds one list of conditions, “all” or “any”."))
        if level > MOST_LEVELS:
            return self._wrong(path, _("Groups may be nested %(most)d deep.") % {"most": MOST_LEVELS})
        if not data[joiner]:
            return self._wrong(path, _("Add at least one condition."))
        if len(data[joiner]) > MOST_RULES:
            return self._wrong(path, _("A rule has at most %(most)d conditions.") % {"most": MOST_RULES})
        inside = f"{path}." if path else ""
        children = [self.node(child, f"{inside}{at}", level + 1) for at, child in enumerate(data[joiner])]
        return Group(joiner, tuple(child for child in children if child is not None))

    def _rule(self, data: dict[Any, Any], path: str) -> Rule | None:
        self.rules += 1
        if unknown := set(data) - {"field", "op", "value"}:
            return self._wrong(
                path, _("“%(name)s” is not part of a condition.") % {"name": sorted(map(str, unknown))[0]}
            )
        field = self._field(data.get("field"))
        if field is None or field.about in self.without:
            return self._wrong(path, _("Choose a field from the list."))
        operator = field.operator(data["op"]) if isinstance(data.get("op"), str) else None
        if operator is None:
            return self._wrong(path, _("Choose a comparison that “%(field)s” has.") % {"field": field.label})
        try:
            return Rule(field, operator, READERS[operator.form](data.get("value"), field, operator))
        except _Wrong as wrong:
            return self._wrong(path, wrong.words)

    def _field(self, name: Any) -> SegmentField | None:
        if not isinstance(name, str):
            return None
        if name not in self._fields:
            self._fields[name] = self._find(name)
        return self._fields[name]

    def _wrong(self, path: str, words: str | Promise) -> Any:
        self.problems.append(Problem(path, words))
        return None


class _Wrong(ValueError):
    def __init__(self, words: str | Promise) -> None:
        self.words = words


def _nothing(value: Any, field: SegmentField, operator: Operator) -> None:
    if value not in (None, ""):
        raise _Wrong(_("This comparison takes no value."))


def _number(value: Any, field: SegmentField, operator: Operator) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise _Wrong(_("Enter a number."))
    if abs(value) > BIGGEST:
        raise _Wrong(_("This number is too large."))
    if field.kind == FieldKind.MONEY and value != int(value):
        raise _Wrong(_("Enter an amount that can be paid."))
    return int(value) if field.kind == FieldKind.MONEY else value


def _pair(value: Any, field: SegmentField, operator: Operator) -> list[int | float]:
    if not isinstance(value, list) or len(value) != 2:
        raise _Wrong(_("Enter two numbers."))
    low, high = (_number(part, field, operator) for part in value)
    if low > high:
        raise _Wrong(_("The first number must not be above the second."))
    return [low, high]


def _list(value: Any, field: SegmentField, operator: Operator) -> list[str]:
    if not isinstance(value, list) or not value:
        raise _Wrong(_("Choose at least one value."))
    if len(value) > MOST_VALUES:
        raise _Wrong(_("A list has at most %(most)d values.") % {"most": MOST_VALUES})
    found = list(dict.fromkeys(_text(part) for part in value))
    if field.is_closed and field.choices is not None:
        known = {choice for choice, _label in field.choices()}
        if any(part not in known for part in found):
            raise _Wrong(_("Choose values from the list."))
    return found


def _words(value: Any, field: SegmentField, operator: Operator) -> str:
    return _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\x00" in value:
        raise _Wrong(_("Enter a text."))
    if len(value) > LONGEST_TEXT:
        raise _Wrong(_("This text is too long."))
    return value.strip()


def _days(value: Any, field: SegmentField, operator: Operator) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise _Wrong(_("Enter a number of days."))
    if not 0 <= value <= MOST_DAYS or value != int(value):
        raise _Wrong(_("Enter a whole number of days from 0 to %(most)d.") % {"most": MOST_DAYS})
    return int(value)


def _day(value: Any, field: SegmentField, operator: Operator) -> str:
    try:
        day = date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise _Wrong(_("Enter a date, for example 2026-03-31.")) from None
    if not 1900 <= day.year <= 2200:
        raise _Wrong(_("Enter a date between 1900 and 2200."))
    return day.isoformat()


READERS: dict[Form, Callable[[Any, SegmentField, Operator], Any]] = {
    Form.NOTHING: _nothing,
    Form.NUMBER: _number,
    Form.PAIR: _pair,
    Form.LIST: _list,
    Form.WORDS: _words,
    Form.DAYS: _days,
    Form.DAY: _day,
}
