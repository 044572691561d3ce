"""The refused rows of a file as a file: its own columns, and beside them the line and the reason.

Whoever mends the cells can upload it as it is.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

from accounts.imports.converters import as_text
from accounts.imports.mapping import ImportOptions
from accounts.imports.parsing import Refused
from accounts.imports.problems import FileProblem
from accounts.imports.reading import SourceFile
from accounts.models import StoredFile
from accounts.services.stored_files import store_file
from cs_platform.lib.csv_text import safe_cell


def store_error_file(
    *,
    path: Path,
    options: ImportOptions,
    refused: Sequence[Refused],
    name: str,
    expires_at: datetime | None,
) -> StoredFile | None:
    """Write and keep it, in the running scope. None where the file itself cannot be read."""
    by_line = {row.line: row for row in refused}
    with tempfile.TemporaryFile("w+b") as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        try:
            _write(text, path, options, by_line)
        except FileProblem:
            return None
        finally:
            text.flush()
            text.detach()
        stream.seek(0)
        return store_file(
            stream=stream,
            name=f"{Path(name).stem[:200]}-{_('refused')}.csv",
            content_type="text/csv; charset=utf-8",
            expires_at=expires_at,
        )


def _write(text: IO[str], path: Path, options: ImportOptions, by_line: dict[int, Refused]) -> None:
    source = SourceFile(path, encoding=options.encoding, delimiter=options.delimiter)
    columns = list(source.columns) or _json_columns(source, by_line)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*map(safe_cell, columns), _("Line in the file"), _("Why it was refused")])
    for row in source.rows():
        found = by_line.get(row.line)
        if found is not None:
            cells = [safe_cell(as_text(row.values.get(column))) for column in columns]
            writer.writerow([*cells, row.line, safe_cell(str(found.problem))])


def _json_columns(source: SourceFile, by_line: dict[int, Refused]) -> list[str]:
    found: dict[str, None] = {}
    for row in source.rows():
        if row.line in by_line:
            found.update(dict.fromkeys(row.values))
    return list(found)
