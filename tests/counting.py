"""How many queries a page asks, without the frame around transactions and scopes."""

from __future__ import annotations

from typing import Any

CONTROL = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO", "SELECT set_config(", "BEGIN", "COMMIT")


def data_queries(captured: Any) -> list[str]:
    """The statements of a CaptureQueriesContext that read or write rows."""
    return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(CONTROL)]
