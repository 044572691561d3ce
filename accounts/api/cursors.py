"""Opaque cursors over an ascending id, or over change times; they name a place, not a right."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta

from accounts.api.problems import Problem

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cursor_after(row_id: int) -> str:
    return _packed("id", row_id)


def id_of(cursor: str) -> int:
    """The id behind a cursor; a Problem 422 when it is none of ours."""
    [row_id] = _numbers(cursor, "id", 1)
    return row_id


def cursor_of_change(updated_at: datetime, row_id: int) -> str:
    return _packed("at", (updated_at - _EPOCH) // timedelta(microseconds=1), row_id)


def change_of(cursor: str) -> tuple[datetime, int]:
    """Time and id of the row behind a cursor; a Problem 422 when it is none of ours."""
    micros, row_id = _numbers(cursor, "at", 2)
    if micros > 7 * 10**15:  # the year 2191
        raise _refused()
    return _EPOCH + timedelta(microseconds=micros), row_id


def _packed(prefix: str, *numbers: int) -> str:
    text = ":".join([prefix, *map(str, numbers)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _numbers(cursor: str, prefix: str, count: int) -> list[int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        raise _refused() from None
    name, *parts = text.split(":")
    if name != prefix or len(parts) != count:
        raise _refused()
    if not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in parts):
        raise _refused()
    return [int(part) for part in parts]


def _refused() -> Problem:
    return Problem(422, "invalid_cursor", "Use a cursor from `next` as it was given.")
