"""Write a backup: one consistent moment, read by the owner role, one COPY per table and workspace."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from cs_platform.backups.tables import Table, tables

FORMAT = 1
MANIFEST = "manifest.json"
Progress = Callable[[str], None]


def write_backup(path: Path, *, now: datetime, progress: Progress = lambda line: None) -> dict[str, Any]:
    """Write the file anew (beside it first, then renamed) and return its manifest.

    Readers and writers go on meanwhile: the whole backup is one repeatable-read transaction.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            os.chmod(partial, 0o600)  # it holds everything
            manifest = _write(archive, now, progress)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def _write(archive: zipfile.ZipFile, now: datetime, progress: Progress) -> dict[str, Any]:
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT id FROM accounts_workspace ORDER BY id")
        workspaces = [row[0] for row in cursor.fetchall()]
        rows: dict[str, int] = {}
        found = tables(cursor)
        for table in found:
            rows[table.name] = sum(
                _copy(cursor, archive, table, scope) for scope in (workspaces if table.is_scoped else [None])
            )
            progress(f"{table.name}: {rows[table.name]} rows")
        manifest = {
            "format": FORMAT,
            "written_at": now.isoformat(),
            "workspaces": len(workspaces),
            "columns": {table.name: table.columns for table in found},
            "rows": rows,
        }
    archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return manifest


def _copy(cursor: CursorWrapper, archive: zipfile.ZipFile, table: Table, scope: int | None) -> int:
    names = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    query = sql.SQL("COPY (SELECT {} FROM {}{}) TO STDOUT").format(
        names,
        sql.Identifier(table.name),
        sql.SQL("" if scope is None else f" WHERE workspace_id = {scope:d}"),
    )
    if scope is not None:
        cursor.execute("SELECT set_config('app.workspace', %s, true)", [str(scope)])
    rows = 0
    target = f"{table.name}/{'all' if scope is None else scope}"
    with archive.open(target, "w", force_zip64=True) as file, cursor.copy(query) as copy:
        for block in copy:
            content = bytes(block)
            rows += content.count(b"\n")
            file.write(content)
    return rows
