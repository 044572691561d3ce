"""Statements that Postgres plans once per connection instead of every time.

Django has its driver write the values into the statement's text, so that no two statements are the same. Inside of
`prepared_statements` the server binds the values, and what comes a second time is prepared. It is for work that is
done often with the same few statements; planning those takes longer than running them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor

MOST = 500  # statements kept by a connection


@contextmanager
def prepared_statements() -> Iterator[None]:
    """Cursors that are opened in the block bind on the server and prepare. May be nested."""
    connection.ensure_connection()
    raw: Any = connection.connection
    before = raw.cursor_factory, raw.prepare_threshold
    raw.prepared_max = MOST
    raw.cursor_factory, raw.prepare_threshold = ServerBindingCursor, 1
    try:
        yield
    finally:
        raw.cursor_factory, raw.prepare_threshold = before
