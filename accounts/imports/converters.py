"""From a cell to a typed value. A blank cell never gets here: it is no value."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from accounts.imports import vocabulary
from accounts.imports.dates import DateReader
from accounts.imports.fields import ImportField
from accounts.imports.problems import RowProblem, shown
from accounts.imports.vocabulary import Reading
from cs_platform.lib.domains import read_domain

Converter = Callable[[ImportField, str, DateReader], Any]

# What exports of databases and data frames write for "nothing".
BLANKS = frozenset({"", "NULL", "null", "NaN", "nan", "\\N", "#N/A"})
_ADDRESS = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[^\s@,;<>\".]+")
_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+\.\d+")


def as_text(value: Any) -> str:
    """A cell as text: JSON's true, 5.0 and null read as a file would write them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def convert(field: ImportField, text: str, dates: DateReader) -> Any:
    """The typed value. Raises RowProblem with the field's name."""
    try:
        return _CONVERTERS[field.kind](field, text, dates)
    except RowProblem as problem:
        problem.field = field.name
        raise


def reading(field: ImportField, text: str) -> Reading | None:
    """For fields with a closed list of words: what the word means and whether that is exact."""
    reader = _READERS.get(field.kind)
    return reader(text) if reader else None


def is_worded(field: ImportField) -> bool:
    """Whether the field has a closed list of words, so that a file's own may be lost."""
    return field.kind in _READERS


def _text(field: ImportField, text: str, _: DateReader) -> str:
    if len(text) > field.limit:
        raise RowProblem("too_long", params={"limit": field.limit})
    return text


def _email(field: ImportField, text: str, _: DateReader) -> str:
    if len(text) > 254 or not _ADDRESS.fullmatch(text):
        raise RowProblem("not_an_address", params={"value": shown(text)})
    return text.lower()


def _domain(field: ImportField, text: str, _: DateReader) -> str:
    found = read_domain(text)
    if found is None:
        raise RowProblem("not_a_domain", params={"value": shown(text)})
    return found


def _date(field: ImportField, text: str, dates: DateReader) -> Any:
    return dates.read(text)


def read_decimal(text: str) -> Decimal:
    """A number with a point; grouping commas only where they cannot be a decimal comma. Raises RowProblem."""
    plain = text.replace(",", "") if _GROUPED.fullmatch(text) else text
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise RowProblem("not_a_number", params={"value": shown(text)}) from None
    if not number.is_finite() or "_" in plain:
        raise RowProblem("not_a_number", params={"value": shown(text)})
    return number


def _number(field: ImportField, text: str, _: DateReader) -> Decimal:
    number = read_decimal(text)
    too_low = field.low is not None and number < Decimal(field.low)
    if too_low or number > Decimal(field.high or 10**12):
        limits = {"low": f"{field.low or 0:g}", "high": f"{field.high or 10**12:g}"}
        raise RowProblem("out_of_range", params={"value": shown(text), **limits})
    return number


def _float(field: ImportField, text: str, dates: DateReader) -> float:
    return float(_number(field, text, dates))


def _integer(field: ImportField, text: str, dates: DateReader) -> int:
    number = _number(field, text, dates)
    if number != number.to_integral_value():
        raise RowProblem("not_a_whole_number", params={"value": shown(text)})
    return int(number)


def _currency(field: ImportField, text: str, _: DateReader) -> str:
    code = text.upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise RowProblem("not_a_currency", params={"value": shown(text)})
    return code


def _worded(field: ImportField, text: str, _: DateReader) -> Any:
    found = reading(field, text)
    if found is None:
        raise RowProblem("not_a_choice", params={"value": shown(text), "choices": _CHOICES[field.kind]})
    return found.value


def _language(field: ImportField, text: str, _: DateReader) -> str | None:
    found = vocabulary.read_language(text)
    return found.value if found else None


_READERS: dict[str, Callable[[str], Reading | None]] = {
    "interval": vocabulary.read_interval,
    "reason": vocabulary.read_reason,
    "cause": vocabulary.read_cause,
    "priority": vocabulary.read_priority,
    "status": vocabulary.read_status,
    "role": vocabulary.read_role,
    "language": vocabulary.read_language,
}
_CHOICES = {
    "interval": "monthly, quarterly, annual, month-to-month, one year, two year",
    "status": "draft, open, paid, void, uncollectible",
}
_CONVERTERS: dict[str, Converter] = {
    "text": _text,
    "key": _text,
    "email": _email,
    "domain": _domain,
    "date": _date,
    "number": _float,
    "money": _number,
    "integer": _integer,
    "currency": _currency,
    "language": _language,
    **dict.fromkeys(("interval", "reason", "cause", "priority", "status", "role"), _worded),
}
