"""Which column feeds which field, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.imports.fields import ImportSpec, normalised
from accounts.imports.problems import FileProblem


@dataclass(frozen=True)
class ImportOptions:
    """What the person chose. `known_at` dates the traits of the file (a cell in the file's date format).

    `encoding` is a key of `encodings.ENCODINGS`; an empty `delimiter` is found by itself.
    Without `by_name` a column named like a field is that field only where `mapping` says so.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    drop: frozenset[str] = frozenset()
    date_format: str = "iso"
    known_at: str = ""
    encoding: str = "utf-8"
    delimiter: str = ""
    by_name: bool = True

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ImportOptions:
        """What `as_json` made."""
        return cls(
            mapping=dict(data.get("map", {})),
            drop=frozenset(data.get("drop", ())),
            date_format=data.get("date_format", "iso"),
            known_at=data.get("known_at", ""),
            encoding=data.get("encoding", "utf-8"),
            delimiter=data.get("delimiter", ""),
            by_name=data.get("by_name", True),
        )

    def as_json(self) -> dict[str, object]:
        """For the record of the import."""
        return {
            "map": dict(self.mapping),
            "drop": sorted(self.drop),
            "date_format": self.date_format,
            "known_at": self.known_at,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "by_name": self.by_name,
        }


@dataclass(frozen=True)
class ColumnMapping:
    """`fields`: field name to column. `extras`: columns that become traits or properties."""

    fields: Mapping[str, str]
    extras: tuple[str, ...]
    dropped: tuple[str, ...]


def parse_mappings(texts: Iterable[str]) -> dict[str, str]:
    """`column=field` texts; the last equals sign separates, so that column names may contain one."""
    mapping: dict[str, str] = {}
    for text in texts:
        column, sign, name = text.rpartition("=")
        if not sign or not column.strip() or not name.strip():
            raise FileProblem("bad_mapping", value=text)
        if mapping.get(column.strip(), name.strip()) != name.strip():
            raise FileProblem("column_twice", column=column.strip())
        mapping[column.strip()] = name.strip()
    return mapping


def map_columns(spec: ImportSpec, columns: Sequence[str], options: ImportOptions) -> ColumnMapping:
    """Chosen mappings first, then columns named like a field. Raises FileProblem."""
    _check(spec, columns, options)
    fields = {name: column for column, name in options.mapping.items()}
    for column in columns if options.by_name else ():
        name = normalised(column)
        if column in options.mapping or column in options.drop or name not in spec.names():
            continue
        fields.setdefault(name, column)
    missing = [f.name for f in spec.fields if f.required and f.name not in fields]
    if missing:
        raise FileProblem(
            "missing_fields", fields=", ".join(missing), first=missing[0], columns=", ".join(columns)
        )
    used = set(fields.values()) | options.drop
    extras = tuple(column for column in columns if column not in used)
    return ColumnMapping(fields, extras, tuple(sorted(options.drop)))


def suggestions(spec: ImportSpec, mapping: ColumnMapping) -> dict[str, str]:
    """Unmapped columns that look like an unmapped field."""
    found: dict[str, str] = {}
    for column in mapping.extras:
        name = spec.suggestion(column, taken=[*mapping.fields, *found.values()])
        if name:
            found[column] = name
    return found


def _check(spec: ImportSpec, columns: Sequence[str], options: ImportOptions) -> None:
    for column in [*options.mapping, *options.drop]:
        if column not in columns:
            raise FileProblem("unknown_column", column=column, columns=", ".join(columns))
    by_field: dict[str, list[str]] = {}
    for column, name in options.mapping.items():
        if name not in spec.names():
            raise FileProblem("unknown_field", field=name, fields=", ".join(spec.names()))
        by_field.setdefault(name, []).append(column)
    for name, chosen in by_field.items():
        if len(chosen) > 1:
            raise FileProblem("field_twice", field=name, columns=", ".join(chosen))
