"""The first reading of a file: is it sound, which columns does it have, what do they hold?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

from accounts.imports.columns import ColumnKind
from accounts.imports.converters import BLANKS, as_text, is_worded, reading
from accounts.imports.dates import DateReader
from accounts.imports.fields import ImportSpec
from accounts.imports.mapping import ColumnMapping, ImportOptions, map_columns
from accounts.imports.problems import FileProblem
from accounts.imports.reading import MAX_COLUMNS, SourceFile


@dataclass(frozen=True)
class Inspection:
    """`kinds`: type of each column that becomes a trait or property. `kept`: columns that feed a field
    whose words say less than the file's, so the original is kept beside it. `rows`: rows in the file."""

    mapping: ColumnMapping
    kinds: Mapping[str, str]
    kept: frozenset[str]
    rows: int

    def report(self, extras: str) -> dict[str, str]:
        """Each column and what becomes of it."""
        found = {column: name for name, column in self.mapping.fields.items()}
        for column, kind in self.kinds.items():
            text = f"{extras} ({kind})"
            found[column] = f"{found[column]} + {text}" if column in found else text
        return found | dict.fromkeys(self.mapping.dropped, "dropped")


def inspect(
    source: SourceFile,
    spec: ImportSpec,
    options: ImportOptions,
    dates: DateReader,
    *,
    limit: int | None = None,
    on_rows: Callable[[int], None] = lambda rows: None,
) -> Inspection:
    """Read the whole file (or its first `limit` rows) once. Raises FileProblem; nothing is written yet.

    `on_rows` hears every thousand rows how many were read.
    """
    columns = source.columns or _json_columns(source, limit)
    mapping = map_columns(spec, columns, options)
    worded = {
        column: spec.field(name) for name, column in mapping.fields.items() if is_worded(spec.field(name))
    }
    kinds = {column: ColumnKind() for column in (*mapping.extras, *worded)}
    kept, rows = set(), 0
    for row in islice(source.rows(), limit):
        rows += 1
        if rows % 1000 == 0:
            on_rows(rows)
        if row.problem:
            continue
        for column, kind in kinds.items():
            kind.see(row.values.get(column), dates)
        for column, field in worded.items():
            text = as_text(row.values.get(column))
            found = None if column in kept or text in BLANKS else reading(field, text)
            if found and not found.is_exact:
                kept.add(column)
    if not rows:
        raise FileProblem("no_rows")
    found_kinds = {
        column: kind.kind for column, kind in kinds.items() if column not in worded or column in kept
    }
    return Inspection(mapping, found_kinds, frozenset(kept), rows)


def _json_columns(source: SourceFile, limit: int | None) -> list[str]:
    columns: dict[str, None] = {}
    for row in islice(source.rows(), limit):
        columns.update(dict.fromkeys(row.values))
        if len(columns) > MAX_COLUMNS:
            raise FileProblem("too_many_columns", columns=len(columns), limit=MAX_COLUMNS)
    if not columns:
        raise FileProblem("no_rows")
    return list(columns)
