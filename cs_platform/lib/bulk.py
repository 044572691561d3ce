"""Write many rows at once: COPY into a temporary stage, then one INSERT ... ON CONFLICT.

Row-level security refuses COPY into its tables; the stage has none and vanishes on commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid4

from django.db import connection

from cs_platform.lib.scoping import current_workspace_id


def upsert(
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    key: Sequence[str],
    update: Sequence[str] | None = None,
    where: str = "",
) -> int:
    """Insert `rows` (values in the order of `columns`, without the workspace) into a workspace table.

    On a conflict over (workspace_id, *key) the columns `update` are overwritten (default: all
    that are not in the key; an empty list keeps the old row) where any of them differs.
    `where` names the predicate of a partial unique index.
    Returns the number of rows inserted or changed.
    """
    stage = f"stage_{uuid4().hex[:12]}"
    names = ", ".join(f'"{column}"' for column in columns)
    changed = [c for c in columns if c not in key] if update is None else list(update)
    with connection.cursor() as cursor:
        cursor.execute(
            f'CREATE TEMP TABLE {stage} ON COMMIT DROP AS SELECT {names} FROM "{table}" WITH NO DATA'
        )
        with cursor.copy(f"COPY {stage} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            f'INSERT INTO "{table}" AS t (workspace_id, {names}) SELECT {current_workspace_id()}, {names} FROM {stage}'
            f" ON CONFLICT (workspace_id, {', '.join(key)}) {f'WHERE {where} ' if where else ''}"
            f"{_on_conflict(changed)}"
        )
        count = int(cursor.rowcount)
        cursor.execute(f"DROP TABLE {stage}")
    return count


def _on_conflict(changed: Sequence[str]) -> str:
    if not changed:
        return "DO NOTHING"
    sets = ", ".join(f'"{c}" = excluded."{c}"' for c in changed)
    old = ", ".join(f't."{c}"' for c in changed)
    new = ", ".join(f'excluded."{c}"' for c in changed)
    return f"DO UPDATE SET {sets} WHERE ({old}) IS DISTINCT FROM ({new})"
