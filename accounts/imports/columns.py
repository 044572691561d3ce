"""Columns without a field: which type they hold, found by looking at every value."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from typing import Any

from accounts.imports.converters import BLANKS, as_text
from accounts.imports.dates import DateReader

EPOCH = date(1970, 1, 1)
# A leading zero or more digits than a float holds means an identifier, not a quantity.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,12})?([eE][+-]?\d{1,2})?")
_BOOLEAN = {
    "true": True,
    "false": False,
    "yes": True,
    "no": False,
    "y": True,
    "n": False,
    "t": True,
    "f": False,
}


class ColumnKind:
    """Narrows what a column can be, value by value: number, boolean, date, else text."""

    def __init__(self) -> None:
        self.values = 0
        self._possible = {"number", "boolean", "date"}

    def see(self, value: Any, dates: DateReader) -> None:
        """Take note of one cell; blanks say nothing."""
        text = as_text(value)
        if text in BLANKS:
            return
        self.values += 1
        if self._possible:
            self._possible = {kind for kind in self._possible if _fits(kind, text, dates)}

    @property
    def kind(self) -> str:
        """ "number", "boolean", "date" or "text"; "empty" where the column never had a value."""
        if not self.values:
            return "empty"
        return next((kind for kind in ("number", "boolean", "date") if kind in self._possible), "text")


def _fits(kind: str, text: str, dates: DateReader) -> bool:
    if kind == "number":
        return _NUMBER.fullmatch(text) is not None
    if kind == "boolean":
        return text.lower() in _BOOLEAN
    return dates.fits(text)


def as_json(value: Any, kind: str, dates: DateReader) -> Any:
    """A property: number, true or false, "YYYY-MM-DD", text, or JSON as it came. None for a blank."""
    if isinstance(value, dict | list):
        return value
    text = as_text(value)
    if text in BLANKS:
        return None
    if kind == "number":
        number = float(text)
        return int(number) if number.is_integer() and "e" not in text.lower() else number
    if kind == "boolean":
        return _BOOLEAN[text.lower()]
    return _local_date(dates.read(text), dates).isoformat() if kind == "date" else text


def as_trait(value: Any, kind: str, dates: DateReader) -> tuple[str, float | None] | None:
    """A trait's text and number (see AccountTrait). None for a blank."""
    text = json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else as_text(value)
    if text in BLANKS:
        return None
    if kind == "number":
        return text, float(text)
    if kind == "boolean":
        return text, float(_BOOLEAN[text.lower()])
    if kind == "date":
        day = _local_date(dates.read(text), dates)
        return day.isoformat(), float((day - EPOCH).days)
    return text, None


def _local_date(moment: datetime, dates: DateReader) -> date:
    return moment.astimezone(dates.zone).date()
