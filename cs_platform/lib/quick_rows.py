"""Rows of a model by a statement that never changes: for the few reads that every charge makes, where building and
planning a query of the ORM takes longer than running it."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from django.db import connection, models

from cs_platform.lib.scoping import current_workspace_id

M = TypeVar("M", bound=models.Model)


class QuickRows(Generic[M]):
    """Objects of one workspace model, with all their columns."""

    def __init__(self, model: type[M]) -> None:
        self.model = model
        self.fields = list(model._meta.concrete_fields)
        self.names = [field.attname for field in self.fields]
        columns = ", ".join(f'"{field.column}"' for field in self.fields)
        self.select = f'SELECT {columns} FROM "{model._meta.db_table}" WHERE workspace_id = %s AND '

    def first(self, condition: str, *values: Any) -> M | None:
        """The first row of the running scope's workspace for which the condition (a constant of the caller) holds."""
        with connection.cursor() as cursor:
            cursor.execute(f"{self.select}{condition}", [current_workspace_id(), *values])
            row = cursor.fetchone()
        return self._made(row) if row else None

    def _made(self, row: tuple[Any, ...]) -> M:
        values = list(row)
        for place, field in enumerate(self.fields):
            for convert in field.get_db_converters(connection):
                values[place] = convert(values[place], None, connection)
        made: M = self.model.from_db(connection.alias, self.names, values)
        return made
