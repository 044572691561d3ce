"""Opens CSV and JSON Lines files and yields their rows one by one, so that size does not matter."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from accounts.imports.encodings import ENCODINGS
from accounts.imports.problems import FileProblem, RowProblem
from cs_platform.lib.csv_text import original_cell

MAX_COLUMNS = 500
MAX_CELL = 1_000_000
MAX_LINE = 8_000_000
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

    def __init__(self, path: Path, *, encoding: str = "utf-8", delimiter: str = "") -> None:
        self.path = path
        self.encoding = _python_name(encoding)
        with _opened(path, self.encoding) as stream:
            sample = self._sample(stream)
        self.is_json = _is_json_lines(path, sample)
        self.delimiter = "," if self.is_json else delimiter or _delimiter(sample)
        self.columns = [] if self.is_json else self._header()

    def rows(self) -> Iterator[RawRow]:
        """All rows. Raises FileProblem where the file itself is broken."""
        with _opened(self.path, self.encoding) as stream:
            place = _Place()
            try:
                yield from self._json_rows(stream, place) if self.is_json else self._csv_rows(stream, place)
            except UnicodeDecodeError as error:
                raise self._not_text() from error
            except csv.Error as error:
                raise FileProblem("broken_csv", line=place.line, reason=str(error)) from error

    def _not_text(self) -> FileProblem:
        if self.encoding == "utf-8-sig":
            return FileProblem("not_utf8", line=_line_of_bad_byte(self.path))
        return FileProblem("not_in_encoding", encoding=self.encoding)

    def _sample(self, stream: IO[str]) -> str:
        try:
            sample = stream.read(_SAMPLE)
        except UnicodeError:  # UTF-16 without its mark is a plain UnicodeError
            raise self._not_text() from None
        except OSError as error:
            raise FileProblem("not_readable", path=stream.name, reason=error.strerror or "?") from error
        if not sample.strip():
            raise FileProblem("empty")
        return sample

    def _header(self) -> list[str]:
        with _opened(self.path, self.encoding) as stream:
            try:
                cells: list[str] = next(self._reader(stream), [])
            except UnicodeDecodeError as error:
                raise self._not_text() from error
            except csv.Error as error:
                raise FileProblem("broken_csv", line=1, reason=str(error)) from error
        columns = [original_cell(cell).strip() for cell in cells]
        while columns and not columns[-1]:  # spreadsheets leave separators after the last column
            columns.pop()
        return _checked(columns)

    def _reader(self, stream: IO[str]) -> Any:
        csv.field_size_limit(MAX_CELL)
        return csv.reader(_bounded(stream), delimiter=self.delimiter, strict=True)

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
            return RawRow(line, dict(zip(self.columns, cells, strict=False)), problem)
        values = {name: original_cell(cell) for name, cell in zip(self.columns, cells, strict=False)}
        return RawRow(line, values, RowProblem("nul") if any("\x00" in cell for cell in cells) else None)

    def _json_rows(self, stream: IO[str], place: _Place) -> Iterator[RawRow]:
        for number, text in enumerate(_bounded(stream), start=1):
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


def _python_name(encoding: str) -> str:
    try:
        return ENCODINGS[encoding]
    except KeyError:
        raise FileProblem("unknown_encoding", encoding=encoding, known=", ".join(ENCODINGS)) from None


def _bounded(stream: IO[str]) -> Iterator[str]:
    """Line by line, so that a file without line ends does not fill the memory."""
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise FileProblem("long_line", line=number, limit=f"{MAX_LINE:,}")
        yield line


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[IO[str]]:
    try:
        stream = path.open(encoding=encoding, newline="")
    except FileNotFoundError as error:
        raise FileProblem("not_found", path=str(path)) from error
    except OSError as error:
        raise FileProblem("not_readable", path=str(path), reason=error.strerror or "?") from error
    with stream:
        yield stream


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
