"""CSV that a spreadsheet shows as what it is: no cell can become a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# What makes Excel, LibreOffice or Google Sheets read a cell as a formula (OWASP, "CSV Injection").
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")


def safe_cell(value: object) -> object:
    """Text that would start a formula gets an apostrophe in front; numbers and the rest stay.

    So does text that already looks like that, for otherwise `original_cell` could not tell the two apart.
    """
    if isinstance(value, str) and value.lstrip("'").startswith(_STARTS_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def original_cell(cell: str) -> str:
    """The text that `safe_cell` was given, when a file of ours is read again."""
    if cell[:1] == "'" and cell.lstrip("'").startswith(_STARTS_FORMULA):
        return cell[1:]
    return cell


def csv_text(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A whole CSV file; begins with a byte order mark, without which Excel garbles Korean."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe_cell(str(header)) for header in headers])
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return "\ufeff" + out.getvalue()
