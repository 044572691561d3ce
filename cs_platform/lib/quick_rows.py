"""Rows of a model by statements that never change: for the few reads and writes that every charge makes, where
building a query of the ORM takes longer than running it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection, models

from cs_platform.lib.scoping import current_workspace_id

M = TypeVar("M", bound=models.Model)


def rows_of(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """All rows of a statement (a constant of the caller). JSON comes as text."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


class QuickRows(Generic[M]):
    """Objects of one workspace model, with all their columns, in the running scope's workspace.

    Conditions are constants of the caller. What a model's `save()`, its signals or its defaults in the database do
    beyond its columns is not done here: it is for models that have none of these.
    """

    def __init__(self, model: type[M]) -> None:
        self.model = model
        self.table = f'"{model._meta.db_table}"'
        self.fields = list(model._meta.concrete_fields)
        self.names = [field.attname for field in self.fields]
        self.written = {field.name: field for field in self.fields if not field.primary_key}
        columns = ", ".join(f'"{field.column}"' for field in self.fields)
        self.select = f"SELECT {columns} FROM {self.table} WHERE workspace_id = %s AND "

    def first(self, condition: str, *values: Any) -> M | None:
        """The first row for which the condition holds."""
        with connection.cursor() as cursor:
            cursor.execute(self.select + condition, [current_workspace_id(), *values])
            row = cursor.fetchone()
        return self._made(row) if row else None

    def values(self, columns: str, condition: str, *values: Any) -> list[tuple[Any, ...]]:
        """Only some columns of all rows for which it holds. JSON comes as text."""
        statement = f"SELECT {columns} FROM {self.table} WHERE workspace_id = %s AND {condition}"
        return rows_of(statement, current_workspace_id(), *values)

    def exists(self, condition: str, *values: Any) -> bool:
        return bool(self.values("1", f"{condition} LIMIT 1", *values))

    def insert(self, rows: Sequence[M]) -> None:
        """Write new rows in one statement; each gets its key."""
        if not rows:
            return
        columns = ", ".join(f'"{field.column}"' for field in self.written.values())
        line = f"({', '.join(['%s'] * len(self.written))})"
        values = [self._prepared(row, field) for row in rows for field in self.written.values()]
        lines = ", ".join([line] * len(rows))
        made = rows_of(f"INSERT INTO {self.table} ({columns}) VALUES {lines} RETURNING id", *values)
        for row, (key,) in zip(rows, made, strict=True):
            row.pk, row._state.adding, row._state.db = key, False, connection.alias

    def update(self, row: M, names: Iterable[str]) -> None:
        """Write these fields of a row that is there."""
        fields = [self.written[name] for name in names]
        if not fields:
            return
        changes = ", ".join(f'"{field.column}" = %s' for field in fields)
        values = [self._prepared(row, field) for field in fields]
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {self.table} SET {changes} WHERE workspace_id = %s AND id = %s",
                [*values, current_workspace_id(), row.pk],
            )

    def _prepared(self, row: M, field: Any) -> Any:
        return field.get_db_prep_save(getattr(row, field.attname), connection)

    @cached_property
    def _converters(self) -> list[tuple[int, Callable[..., Any]]]:
        return [
            (place, convert)
            for place, field in enumerate(self.fields)
            for convert in field.get_db_converters(connection)
        ]

    def _made(self, row: tuple[Any, ...]) -> M:
        values = list(row)
        for place, convert in self._converters:
            values[place] = convert(values[place], None, connection)
        made: M = self.model.from_db(connection.alias, self.names, values)
        return made
