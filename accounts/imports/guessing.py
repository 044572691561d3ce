"""What a column probably is and how dates are probably written, with the reason. A person decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from accounts.imports.converters import BLANKS, convert
from accounts.imports.dates import NAMED_FORMATS, DateReader
from accounts.imports.end_words import names_the_end
from accounts.imports.fields import ImportField, ImportSpec, normalised
from accounts.imports.problems import RowProblem

# Named formats first: they also take times. The rest is what exports of Korea, Japan and ledgers write.
DATE_FORMATS = (*NAMED_FORMATS, "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d %b %Y", "%b %d, %Y")
Samples = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class ColumnGuess:
    """`target` is a field's name or "" (kept as a trait or property). `reason`: "name", "alias", "values" or "".

    `is_leak`: the name speaks of the customer's end and the column would become a trait.
    """

    column: str
    target: str = ""
    reason: str = ""
    is_leak: bool = False


@dataclass(frozen=True)
class DateExample:
    """How a format reads the file: share of values that fit, one value and the day it means."""

    date_format: str
    fits: float
    text: str = ""
    moment: datetime | None = None


def guess_columns(spec: ImportSpec, columns: Sequence[str], samples: Samples) -> list[ColumnGuess]:
    """One guess per column: names of fields first, then other names, then what the values look like."""
    found: dict[str, tuple[str, str]] = {}
    taken: set[str] = set()
    for reason in ("name", "alias", "values"):
        for column in columns:
            if column in found:
                continue
            name = _target(spec, column, samples.get(column, ()), taken, reason)
            if name:
                found[column] = (name, reason)
                taken.add(name)
    return [_guess(spec, column, *found.get(column, ("", ""))) for column in columns]


def _guess(spec: ImportSpec, column: str, target: str, reason: str) -> ColumnGuess:
    leak = not target and spec.extras == "trait" and names_the_end(column)
    return ColumnGuess(column, target, reason, leak)


def _target(spec: ImportSpec, column: str, values: Sequence[str], taken: set[str], reason: str) -> str | None:
    if reason == "name":
        name = normalised(column)
        return name if name in spec.names() and name not in taken else None
    if reason == "alias":
        suggested = spec.suggestion(column, taken=taken)
        return suggested if suggested and _converts(spec.field(suggested), values) else None
    if not values or not all("@" in value for value in values):
        return None
    addresses = (f for f in spec.fields if f.kind == "email" and f.name == "email" and f.name not in taken)
    return next((f.name for f in addresses if _converts(f, values)), None)


def _converts(field: ImportField, values: Iterable[str]) -> bool:
    """Whether at least half of the values can be what the field wants; dates are asked about separately."""
    filled = [value for value in values if value not in BLANKS]
    if field.kind == "date" or not filled:
        return True
    return sum(_is_good(field, value) for value in filled) * 2 >= len(filled)


_ANY_DATE = DateReader("iso", ZoneInfo("UTC"))


def _is_good(field: ImportField, value: str) -> bool:
    try:
        convert(field, value, _ANY_DATE)
    except RowProblem:
        return False
    return True


def date_examples(values: Sequence[str], zone: ZoneInfo) -> list[DateExample]:
    """Every format that reads at least one of the values, best first, each with a value that shows it.

    The shown value is one that another format would read as another day, where there is one.
    """
    filled = [value for value in values if value not in BLANKS]
    readers = [(name, DateReader(name, zone)) for name in DATE_FORMATS]
    found = []
    for name, reader in readers:
        good = [value for value in filled if reader.fits(value)]
        if good:
            shown = next((value for value in good if _is_read_otherwise(value, reader, readers)), good[0])
            found.append(DateExample(name, len(good) / len(filled), shown, reader.read(shown)))
    return sorted(found, key=lambda example: -example.fits)


def _is_read_otherwise(value: str, reader: DateReader, readers: Sequence[tuple[str, DateReader]]) -> bool:
    return any(other.fits(value) and other.read(value) != reader.read(value) for _, other in readers)


def is_ambiguous(examples: Sequence[DateExample]) -> bool:
    """Whether two formats read everything, and at least one value differently."""
    whole = [example for example in examples if example.fits == 1.0]
    return len({example.moment for example in whole}) > 1
