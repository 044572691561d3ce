"""What can be wrong with a file or a row. Codes are stored; sentences are made when shown, in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

MAX_SHOWN = 80

ROW_PROBLEMS: dict[str, Any] = {
    "missing": _("%(field)s is missing"),
    "too_long": _("%(field)s is longer than %(limit)s characters"),
    "not_a_date": _("“%(value)s” is not a date in the format %(format)s"),
    "date_out_of_range": _("the date “%(value)s” is outside the years %(first)s to %(last)s"),
    "not_a_number": _("“%(value)s” is not a number; write it with a point and without thousands separators"),
    "not_a_whole_number": _("“%(value)s” is not a whole number"),
    "out_of_range": _("“%(value)s” is outside %(low)s to %(high)s"),
    "not_a_currency": _("“%(value)s” is not a currency code of three letters, such as USD"),
    "not_an_address": _("“%(value)s” is not a mail address"),
    "not_a_domain": _("“%(value)s” is not a domain such as example.com"),
    "not_a_choice": _("“%(value)s” is not one of: %(choices)s"),
    "nul": _("a value contains a NUL character"),
    "cells": _("the row has %(cells)s cells, the header %(columns)s"),
    "not_an_object": _("the line is not a JSON object"),
    "not_json": _("the line is not valid JSON"),
    "duplicate_key": _("%(field)s “%(value)s” is already in line %(first)s of this file"),
    "repeats_line": _("the row says the same as line %(first)s"),
    "unknown_account": _("there is no account with the external id “%(value)s”; import accounts first"),
    "unknown_subscription": _("there is no subscription with the external id “%(value)s”"),
    "unknown_contact": _("there is no contact with the external id or address “%(value)s”"),
    "other_account": _("“%(value)s” belongs to another account"),
    "no_account_key": _("the row names neither an account, nor a subscription, nor a contact"),
    "ends_before_start": _("it ends before it starts"),
    "start_after_change": _("the new start is after a later change of its terms"),
    "change_outside": _("the terms change before the start or after the end"),
    "erased_person": _("this person was erased at their own request and is not brought back"),
    "refused_event": _("%(field)s: %(reason)s"),
}

FILE_PROBLEMS: dict[str, Any] = {
    "not_found": _("There is no file %(path)s. Check the path."),
    "not_readable": _("The file %(path)s cannot be read: %(reason)s."),
    "empty": _(
        "The file is empty. It needs a header line with the column names, or one JSON object per line."
    ),
    "not_utf8": _("Line %(line)s is not UTF-8 text. Save the file as “CSV UTF-8” and try again."),
    "not_in_encoding": _("The file is not text in the encoding %(encoding)s. Choose another one."),
    "unknown_encoding": _("“%(encoding)s” is no encoding known here. Known are: %(known)s."),
    "long_line": _(
        "Line %(line)s has more than %(limit)s characters. Is this a table, with one row on each line?"
    ),
    "broken_csv": _("Line %(line)s is not CSV: %(reason)s. A quotation mark may not be closed."),
    "no_header": _("The first line is not a header: column %(column)s has no name."),
    "double_column": _("The column “%(column)s” is there twice. Rename one of them."),
    "no_rows": _("The file has a header but no rows."),
    "unknown_column": _("The file has no column “%(column)s”. Its columns are: %(columns)s."),
    "unknown_field": _("“%(field)s” is no field of this import. The fields are: %(fields)s."),
    "field_twice": _("Two columns are mapped to “%(field)s”: %(columns)s."),
    "column_twice": _("The column “%(column)s” is mapped to two fields; it can feed only one."),
    "bad_known_at": _("“%(value)s” is no date for --known-at: %(reason)s."),
    "missing_fields": _(
        "No column is mapped to %(fields)s. Add --map COLUMN=%(first)s; columns: %(columns)s."
    ),
    "bad_mapping": _("“%(value)s” is no mapping. Write it as COLUMN=FIELD."),
    "bad_date_format": _(
        "“%(value)s” is no date format. Use iso, day-first, month-first or a pattern like %(example)s."
    ),
    "too_many_columns": _(
        "The file has %(columns)s columns; at most %(limit)s can be imported. Leave some out with --drop."
    ),
    "every_row_rejected": _("Every row was refused, so nothing was imported. The first reason: %(reason)s."),
    "was_undone": _("The import was undone while it ran; what it had written is gone."),
    "was_canceled": _("The import was canceled. What was written before is kept and can be undone."),
    "file_expired": _("The uploaded file was kept for two weeks and is gone. Upload it again."),
    "busy": _("Other changes kept colliding with the import. What was written before is kept; run it again."),
}


# A file's row goes in without such a value, with a warning; a machine is told of its mistake.
LEFT_OUT = frozenset({"not_a_domain"})


class FileProblem(Exception):
    """The whole file (or its mapping) cannot be imported; `code` is one of FILE_PROBLEMS."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        return gettext(FILE_PROBLEMS[self.code]) % self.params


class RowProblem(Exception):
    """One row cannot be imported; `code` is one of ROW_PROBLEMS."""

    def __init__(self, code: str, field: str = "", params: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.params = params or {}

    def __str__(self) -> str:
        return row_problem_text(self.code, self.field, self.params)


def row_problem_text(code: str, field_name: str, params: dict[str, Any]) -> str:
    """The sentence of a refused row, in the running language."""
    return gettext(ROW_PROBLEMS[code]) % {"field": field_name, **params}


def shown(value: object) -> str:
    """A cell as it may appear in a message: short, one line."""
    text = " ".join(str(value).replace("\x00", "␀").split())
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
