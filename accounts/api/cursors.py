"""Opaque cursors over an ascending id; they name a place, not a right."""

from __future__ import annotations

import base64
import binascii

from accounts.api.problems import Problem


def cursor_after(row_id: int) -> str:
    return base64.urlsafe_b64encode(f"id:{row_id}".encode()).decode().rstrip("=")


def id_of(cursor: str) -> int:
    """The id behind a cursor; a Problem 422 when it is none of ours."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        prefix, _, number = text.partition(":")
        if prefix != "id" or not number.isascii() or not number.isdigit() or len(number) > 18:
            raise ValueError(text)
        return int(number)
    except (ValueError, binascii.Error):
        raise Problem(422, "invalid_cursor", "Use a cursor from `next` as it was given.") from None
