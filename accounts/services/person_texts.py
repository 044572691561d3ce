"""Texts of others that name a person: found, shown, and cleared of the name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from psycopg import sql

from accounts.models import StoredFile, StoredFileChunk
from accounts.privacy import DataClass, Person, TableData, text_fields
from accounts.services.stored_files import pieces

ERASED = "[erased]"
_SEARCHED = (DataClass.PERSON, DataClass.FREE_TEXT, DataClass.BUSINESS)


def mentions(data: TableData, person: Person) -> Iterator[dict[str, Any]]:
    """Rows of others in which a free text names the person: {"id", "field", "text"}."""
    pattern = _pattern(person)
    if pattern is None:
        return
    for name in data.free_text:
        column = _as_text(data, name)
        query = sql.SQL("SELECT id, {column} FROM {table} WHERE {column} ~* %s ORDER BY id").format(
            column=column, table=sql.Identifier(data.model._meta.db_table)
        )
        with connection.cursor() as cursor:
            cursor.execute(query, [pattern])
            for row_id, text in cursor.fetchall():
                yield {"id": row_id, "field": name, "text": text}


def clear(data: TableData, person: Person) -> int:
    """Replace what names the person in every text of the table; returns the rows changed."""
    pattern = _pattern(person)
    if pattern is None:
        return 0
    changed = 0
    for name in text_fields(data.model):
        if data.classes().get(name) in _SEARCHED and not _is_binary(data, name):
            changed += _clear_field(data, name, pattern)
    return changed


def _clear_field(data: TableData, name: str, pattern: str) -> int:
    field = data.model._meta.get_field(name)
    column = _as_text(data, name)
    kind = (
        "::jsonb"
        if isinstance(field, models.JSONField)
        else "::text[]"
        if isinstance(field, ArrayField)
        else ""
    )
    query = sql.SQL(
        "UPDATE {table} SET {name} = regexp_replace({column}, %s, %s, 'gi'){kind} WHERE {column} ~* %s"
    ).format(
        table=sql.Identifier(data.model._meta.db_table),
        name=sql.Identifier(str(field.column)),  # type: ignore[union-attr]
        column=column,
        kind=sql.SQL(kind),
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [pattern, ERASED, pattern])
        return int(cursor.rowcount)


def _as_text(data: TableData, name: str) -> sql.Composable:
    column = str(data.model._meta.get_field(name).column)  # type: ignore[union-attr]
    return sql.SQL("{}::text").format(sql.Identifier(column))


def _is_binary(data: TableData, name: str) -> bool:
    return isinstance(data.model._meta.get_field(name), models.BinaryField)


def _pattern(person: Person) -> str | None:
    """A regular expression of Postgres for any of the needles, also as JSON writes them; None without any."""
    needles = {form for needle in person.needles() for form in (needle, json.dumps(needle)[1:-1])}
    escaped = [re.sub(r"([^\w\s])", r"\\\1", needle) for needle in sorted(needles, key=len, reverse=True)]
    # Not inside a longer word: "ann@x.io" must not eat a part of "joann@x.io".
    return rf"(?<![\w.+-])(?:{'|'.join(escaped)})(?!\w)" if escaped else None


def remove_files_naming(person: Person) -> int:
    """Delete stored files (uploads, exports) that name the person anywhere; returns how many."""
    needles = [needle.encode().lower() for needle in person.needles()]
    if not needles:
        return 0
    named = [file.pk for file in StoredFile.objects.order_by("pk").iterator() if _names(file, needles)]
    StoredFileChunk.objects.filter(file_id__in=named).delete()
    StoredFile.objects.filter(pk__in=named).delete()
    return len(named)


def _names(file: StoredFile, needles: list[bytes]) -> bool:
    overlap = max(len(needle) for needle in needles)
    tail = b""
    for piece in pieces(file):
        window = tail + bytes(piece).lower()
        if any(needle in window for needle in needles):
            return True
        tail = window[-overlap:]
    return False
