"""Opens CSV and JSON Lines files and yields their rows one by one, so that size does not matter."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from accounts.imports.problems import FileProblem, RowProblem

MAX_COLUMNS = 500
MAX_CELL = 1_000_000
_DELIMITERS = ",;\t|"
_SAMPLE = 65_536


@dataclass(frozen=True)
class RawRow:
    """A row as it stands in the file. `values` holds text (CSV) or JSON values; `problem` says why it is no row."""

    line: int
    values: dict[str, Any]
    problem: RowProblem | None = None


class SourceFile:
    """A file that can be read several times; `columns` in their order (for JSON Lines: of appearance)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _opened(path) as stream:
            sample = _sample(stream)
        self.is_json = _is_json_lines(path, sample)
        self._delimiter = "," if self.is_json else _delimiter(sample)
        self.columns = [] if self.is_json else self._header()

    def rows(self) -> Iterator[RawRow]:
        """All rows. Raises FileProblem where the file itself is broken."""
        with _opened(self.path) as stream:
            place = _Place()
            try:
                yield from self._json_rows(stream, place) if self.is_json else self._csv_rows(stream, place)
            except UnicodeDecodeError as error:
                raise FileProblem("not_utf8", line=_line_of_bad_byte(self.path)) from error
            except csv.Error as error:
                raise FileProblem("broken_csv", line=place.line, reason=str(error)) from error

    def _header(self) -> list[str]:
        with _opened(self.path) as stream:
            try:
                cells: list[str] = next(self._reader(stream), [])
            except (UnicodeDecodeError, csv.Error) as error:
                raise FileProblem("not_utf8", line=1) from error
        columns = [cell.strip() for cell in cells]
        while columns and not columns[-1]:  # spreadsheets leave separators after the last column
            columns.pop()
        return _checked(columns)

    def _reader(self, stream: IO[str]) -> Any:
        csv.field_size_limit(MAX_CELL)
        return csv.reader(stream, delimiter=self._delimiter, strict=True)

    def _csv_rows(self, stream: IO[str], place: _Place) -> Iterator[RawRow]:
        reader = self._reader(stream)
        next(reader, None)
        while True:
            place.line = reader.line_num + 1
            cells = next(reader, None)
            if cells is None:
                return
            if any(cell.strip() for cell in cells):
                yield self._csv_row(place.line, cells)

    def _csv_row(self, line: int, cells: list[str]) -> RawRow:
        width = len(self.columns)
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            problem = RowProblem("cells", params={"cells": len(cells), "columns": width})
            return RawRow(line, {}, problem)
        values = dict(zip(self.columns, cells, strict=False))
        return RawRow(line, values, RowProblem("nul") if any("\x00" in cell for cell in cells) else None)

    def _json_rows(self, stream: IO[str], place: _Place) -> Iterator[RawRow]:
        for number, text in enumerate(stream, start=1):
            place.line = number
            if text.strip():
                yield _json_row(number, text)


@dataclass
class _Place:
    line: int = 1


def _json_row(line: int, text: str) -> RawRow:
    try:
        value = json.loads(text, parse_constant=_refuse)
        if "\\ud" in text.lower():  # half of a surrogate pair is JSON, but no text
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return RawRow(line, {}, RowProblem("not_json"))
    if not isinstance(value, dict):
        return RawRow(line, {}, RowProblem("not_an_object"))
    values = {str(key).strip(): item for key, item in value.items()}
    return RawRow(line, values, RowProblem("nul") if "\\u0000" in text or "\x00" in text else None)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    try:
        stream = path.open(encoding="utf-8-sig", newline="")
    except FileNotFoundError as error:
        raise FileProblem("not_found", path=str(path)) from error
    except OSError as error:
        raise FileProblem("not_readable", path=str(path), reason=error.strerror or "?") from error
    with stream:
        yield stream


def _sample(stream: IO[str]) -> str:
    try:
        sample = stream.read(_SAMPLE)
    except UnicodeDecodeError:
        raise FileProblem("not_utf8", line=_line_of_bad_byte(Path(stream.name))) from None
    except OSError as error:
        raise FileProblem("not_readable", path=stream.name, reason=error.strerror or "?") from error
    if not sample.strip():
        raise FileProblem("empty")
    return sample


def _line_of_bad_byte(path: Path) -> int:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 1


def _is_json_lines(path: Path, sample: str) -> bool:
    return path.suffix.lower() in {".jsonl", ".ndjson"} or sample.lstrip().startswith("{")


def _delimiter(sample: str) -> str:
    """The separator that the header line uses most, outside quotation marks."""
    header = sample.lstrip("\r\n").splitlines()[0]
    outside = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _checked(columns: list[str]) -> list[str]:
    if not columns:
        raise FileProblem("empty")
    if len(columns) > MAX_COLUMNS:
        raise FileProblem("too_many_columns", columns=len(columns), limit=MAX_COLUMNS)
    for place, column in enumerate(columns, start=1):
        if not column:
            raise FileProblem("no_header", column=place)
        if columns.index(column) != place - 1:
            raise FileProblem("double_column", column=column)
    return columns
