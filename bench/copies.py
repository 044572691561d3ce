"""What a way of working wrote, as COPY text, to be copied again into bare keyed tables: the floor of writing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, connections, transaction

from cs_platform.lib.scoping import workspace_scope


class Copies:
    """Rows of workspace tables and a twin of each table: same columns and indexes, no policy, no foreign key."""

    def __init__(self, workspace_id: int, tables: Mapping[str, str], parameters: dict[str, Any]) -> None:
        """`tables`: name -> condition on its rows."""
        self.texts: dict[str, tuple[str, bytes]] = {}
        with workspace_scope(workspace_id), connection.cursor() as cursor:
            for table, where in tables.items():
                columns = _columns(cursor, table)
                with cursor.copy(
                    f"COPY (SELECT {columns} FROM {table} WHERE {where}) TO STDOUT", parameters
                ) as out:
                    self.texts[table] = columns, b"".join(bytes(part) for part in out)
        with connections["owner"].cursor() as cursor:
            for table in tables:
                cursor.execute(f"CREATE TABLE IF NOT EXISTS twin_{table} (LIKE {table} INCLUDING ALL)")

    def empty(self) -> None:
        """Take every row out of the twins."""
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(f'twin_{table}' for table in self.texts)}")

    def write(self) -> None:
        """Empty the twins and fill them by COPY."""
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            for table, (columns, text) in self.texts.items():
                cursor.execute(f"TRUNCATE twin_{table}")
                with cursor.copy(f"COPY twin_{table} ({columns}) FROM STDIN") as copy:
                    copy.write(text)


def _columns(cursor: Any, table: str) -> str:
    cursor.execute(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'id'",
        [table],
    )
    return str(cursor.fetchone()[0])
