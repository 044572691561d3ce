"""The second reading: rows with typed values, or the reason why not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from accounts.imports.columns import as_json, as_trait
from accounts.imports.converters import BLANKS, as_text, convert
from accounts.imports.dates import DateReader
from accounts.imports.fields import ImportSpec
from accounts.imports.inspecting import Inspection
from accounts.imports.problems import LEFT_OUT, RowProblem, shown
from accounts.imports.reading import RawRow, SourceFile


@dataclass(frozen=True)
class ParsedRow:
    """`values`: field to typed value, blanks absent. `extras`: column to a property or a trait's (text, number).

    `cleared`: fields that are to be emptied, which only a machine can say; a None in `extras` empties a property.
    `left_out`: (code, cell) of values that cannot be read and that the row goes in without.
    """

    line: int
    values: dict[str, Any]
    extras: dict[str, Any] = field(default_factory=dict)
    cleared: frozenset[str] = frozenset()
    left_out: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)

    def given(self, names: Iterable[str]) -> dict[str, Any]:
        """The values of these fields that the row has; None where one is to be emptied."""
        emptied: dict[str, Any] = {name: None for name in names if name in self.cleared}
        return emptied | {name: self.values[name] for name in names if name in self.values}


@dataclass(frozen=True)
class Refused:
    """A row with a problem."""

    line: int
    problem: RowProblem


class RowParser:
    """Parses the rows of one file; remembers the keys it has seen."""

    def __init__(self, spec: ImportSpec, inspection: Inspection, dates: DateReader) -> None:
        self._spec = spec
        self._fields = [(spec.field(name), column) for name, column in inspection.mapping.fields.items()]
        self._kinds = inspection.kinds
        self._dates = dates
        self._extra = as_trait if spec.extras == "trait" else as_json
        self._lines: dict[tuple[Any, ...], int] = {}

    def parse_all(self, source: SourceFile) -> Iterator[ParsedRow | Refused]:
        for raw in source.rows():
            try:
                yield self._parse(raw)
            except RowProblem as problem:
                yield Refused(raw.line, problem)

    def _parse(self, raw: RawRow) -> ParsedRow:
        if raw.problem:
            raise raw.problem
        values, left_out = self._values(raw)
        extras = {}
        for column, kind in self._kinds.items():
            value = self._extra(raw.values.get(column), kind, self._dates)
            if value is not None:
                extras[column] = value
        if self._spec.key and self._spec.key not in values:
            values[self._spec.key] = derived_key(self._spec, values, extras)
        self._refuse_repetition(raw.line, values)
        return ParsedRow(raw.line, values, extras, left_out=left_out)

    def _values(self, raw: RawRow) -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
        values, left_out = {}, []
        for spec, column in self._fields:
            text = as_text(raw.values.get(column))
            if text in BLANKS:
                if spec.required:
                    raise RowProblem("missing", spec.name)
                continue
            try:
                value = convert(spec, text, self._dates)
            except RowProblem as problem:
                if problem.code not in LEFT_OUT:
                    raise
                left_out.append((problem.code, shown(text)))
            else:
                if value is not None:
                    values[spec.name] = value
        return values, tuple(left_out)

    def _refuse_repetition(self, line: int, values: dict[str, Any]) -> None:
        if not self._spec.unique:
            return
        key = tuple(values.get(name) for name in self._spec.unique)
        first = self._lines.setdefault(key, line)
        if first != line:
            named = self._spec.key
            if not named:
                raise RowProblem("repeats_line", params={"first": first})
            raise RowProblem("duplicate_key", named, {"value": shown(values[named]), "first": first})


def derived_key(spec: ImportSpec, values: dict[str, Any], extras: dict[str, Any]) -> str:
    """The same row gets the same key every time, on every machine."""
    for names in spec.identities:
        if all(name in values for name in names):
            return _hashed(spec.name, [values[name] for name in names])
    return _hashed(spec.name, [sorted(values.items()), sorted(extras.items())])


def _hashed(name: str, content: list[Any]) -> str:
    text = json.dumps([name, content], default=str, ensure_ascii=False)
    return "row-" + hashlib.sha256(text.encode()).hexdigest()[:24]
