"""What a field of an import is, and the specification of the kinds of import."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ImportField:
    """`kind` names a converter of `converters.py`; `aliases` are suggested, never applied by themselves.

    `name` is what files, commands and saved mappings say; `label` is what a person reads.
    """

    name: str
    kind: str = "text"
    required: bool = False
    limit: int = 200
    aliases: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    label: Any = ""


@dataclass(frozen=True)
class ImportSpec:
    """The pure half of an import kind: its fields and how a row is told from another.

    `key`: the field that names the row; where a file has none it is derived from the first of
    `identities` whose fields all have a value, else from the whole row. `unique`: fields that
    may not repeat inside one file. `extras`: what columns without a field become.
    """

    name: str
    fields: tuple[ImportField, ...]
    extras: str = "property"
    key: str = ""
    identities: tuple[tuple[str, ...], ...] = ()
    unique: tuple[str, ...] = ()

    def field(self, name: str) -> ImportField:
        return self._by_name[name]

    @property
    def _by_name(self) -> dict[str, ImportField]:
        return {field.name: field for field in self.fields}

    def names(self) -> list[str]:
        return [field.name for field in self.fields]

    def suggestion(self, column: str, taken: Iterable[str] = ()) -> str | None:
        """The field that a column of this name probably is."""
        wanted = normalised(column)
        for field in self.fields:
            if field.name not in taken and wanted in {field.name, *field.aliases}:
                return field.name
        return None


def normalised(column: str) -> str:
    """`Started At`, `started-at` and `startedAt` are one name."""
    spaced = "".join(
        f"_{c}" if c.isupper() and i and column[i - 1].islower() else c for i, c in enumerate(column)
    )
    return "_".join(spaced.replace("-", " ").replace("_", " ").lower().split())
