"""Read a backup into an empty database. Nothing goes out of it again until a person says so."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from cs_platform.backups.tables import Table, tables
from cs_platform.backups.writing import FORMAT, MANIFEST

Progress = Callable[[str], None]
_PIECE = 1 << 18


class CannotRestore(RuntimeError):
    """The file or the database is not fit for it; the message says what to do."""


def read_backup(path: Path, *, now: datetime, progress: Progress = lambda line: None) -> dict[str, Any]:
    """Fill an empty, migrated database in one transaction; returns the manifest. Raises CannotRestore.

    Every workspace is held: mails, webhooks and payments of its jobs wait until an owner releases
    them, because what the file does not know may have gone out after it was written.
    """
    with _opened(path) as archive, transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        manifest = _manifest(archive)
        found = tables(cursor)
        _refuse_unfit(cursor, manifest, found)
        _force(cursor, found, is_forced=False)
        for table in found:
            _load(cursor, archive, table)
            progress(f"{table.name}: {manifest['rows'][table.name]} rows")
        _set_sequences(cursor, found)
        # Foreign keys wait for the end of a transaction, and a table with waiting checks cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        _force(cursor, found, is_forced=True)
        cursor.execute("UPDATE accounts_workspace SET outside_held_since = %s", [now])
        cursor.execute("UPDATE accounts_job SET lease_until = NULL, lease_owner = ''")
    return manifest


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise CannotRestore(f"There is no file {path}.") from None
    except zipfile.BadZipFile:
        raise CannotRestore(f"{path} is no backup, or it is broken. Take another copy.") from None


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    if broken := archive.testzip():
        raise CannotRestore(f"The backup is damaged in {broken}. Take another copy.")
    try:
        manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
    except (KeyError, ValueError):
        raise CannotRestore("This is no backup of this product.") from None
    if manifest.get("format") != FORMAT:
        raise CannotRestore("The backup is of another version of the product. Restore it with that version.")
    return manifest


def _refuse_unfit(cursor: CursorWrapper, manifest: dict[str, Any], found: list[Table]) -> None:
    cursor.execute("SELECT EXISTS (SELECT 1 FROM accounts_workspace) OR EXISTS (SELECT 1 FROM accounts_user)")
    if cursor.fetchone()[0]:
        raise CannotRestore("The database is not empty. Restore into a new one, after `manage.py migrate`.")
    if {table.name: list(table.columns) for table in found} != manifest["columns"]:
        raise CannotRestore(
            "The tables differ: the backup is of another version. Install that version, restore, then upgrade."
        )


def _load(cursor: CursorWrapper, archive: zipfile.ZipFile, table: Table) -> None:
    """COPY as owner; row-level security, which binds the owner too, is not forced meanwhile."""
    name = sql.Identifier(table.name)
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(name, columns)
    for member in (entry for entry in archive.namelist() if entry.startswith(f"{table.name}/")):
        with archive.open(member) as file, cursor.copy(query) as copy:
            while piece := file.read(_PIECE):
                copy.write(piece)


def _force(cursor: CursorWrapper, found: list[Table], *, is_forced: bool) -> None:
    verb = sql.SQL("FORCE" if is_forced else "NO FORCE")
    for table in found:
        if table.is_scoped:
            statement = sql.SQL("ALTER TABLE {} {} ROW LEVEL SECURITY")
            cursor.execute(statement.format(sql.Identifier(table.name), verb))


def _set_sequences(cursor: CursorWrapper, found: list[Table]) -> None:
    """Ids go on where they ended."""
    for table in found:
        if "id" not in table.columns:
            continue
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [f'"{table.name}"'])
        if sequence := cursor.fetchone()[0]:
            query = sql.SQL("SELECT setval(%s, coalesce((SELECT max(id) FROM {}), 1))")
            cursor.execute(query.format(sql.Identifier(table.name)), [sequence])
