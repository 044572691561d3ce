"""The first rows of a file as they would be written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from accounts.imports.converters import as_text
from accounts.imports.dates import DateReader
from accounts.imports.fields import ImportSpec
from accounts.imports.inspecting import Inspection, inspect
from accounts.imports.mapping import ImportOptions
from accounts.imports.parsing import ParsedRow, Refused, RowParser
from accounts.imports.problems import shown
from accounts.imports.reading import SourceFile
from accounts.imports.vocabulary import Interval

ROWS = 20
LOOKED_AT = 2_000
SAMPLES = 60


def column_samples(source: SourceFile) -> tuple[list[str], dict[str, list[str]]]:
    """The columns, and of each its first different values that are not blank. Raises FileProblem."""
    columns = dict.fromkeys(source.columns)
    samples: dict[str, dict[str, None]] = {column: {} for column in columns}
    for row in islice(source.rows(), LOOKED_AT):
        for column, value in row.values.items():
            columns.setdefault(column)
            kept = samples.setdefault(column, {})
            text = shown(as_text(value))
            if text and len(kept) < SAMPLES:
                kept.setdefault(text)
    return list(columns), {column: list(values) for column, values in samples.items()}


def preview_file(
    source: SourceFile,
    spec: ImportSpec,
    options: ImportOptions,
    dates: DateReader,
    inspection: Inspection | None = None,
) -> dict[str, Any]:
    """`{"columns": [name, …], "fields": how many of them are fields, "rows": [{line, cells, problem}]}`.

    Without an `inspection` of the whole file the types of its other columns are those of its first rows.
    """
    found = inspection or inspect(source, spec, options, dates, limit=LOOKED_AT)
    fields = [name for name in spec.names() if name in found.mapping.fields]
    if spec.key and spec.key not in fields:
        fields.insert(0, spec.key)
    extras = [column for column, kind in found.kinds.items() if kind != "empty"]
    parser = RowParser(spec, found, dates)
    rows = [_row(item, fields, extras, dates) for item in islice(parser.parse_all(source), ROWS)]
    return {"columns": [*fields, *extras], "fields": len(fields), "rows": rows}


def _row(
    item: ParsedRow | Refused, fields: Sequence[str], extras: Sequence[str], dates: DateReader
) -> dict[str, Any]:
    if isinstance(item, Refused):
        problem = item.problem
        told = {"code": problem.code, "field": problem.field, "params": problem.params}
        return {"line": item.line, "cells": [], "problem": told}
    cells = [_text(item.values.get(name), dates) for name in fields]
    cells += [_extra(item.extras.get(name)) for name in extras]
    return {"line": item.line, "cells": cells, "problem": None}


def _text(value: Any, dates: DateReader) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        local = value.astimezone(dates.zone)
        return local.strftime("%Y-%m-%d" if (local.hour, local.minute) == (0, 0) else "%Y-%m-%d %H:%M")
    if isinstance(value, Interval):
        return value.billing_interval + (f" ({value.term_months})" if value.term_months else "")
    if isinstance(value, Decimal | float):
        return f"{value:f}" if isinstance(value, Decimal) else f"{value:g}"
    return shown(value)


def _extra(value: Any) -> str:
    if value is None:
        return ""
    return shown(value[0] if isinstance(value, tuple) else as_text(value))
