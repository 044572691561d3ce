"""Folding one day against a scan of its cells and a COPY of what comes out into keyed tables."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db import connection, connections, transaction

from bench.measures import Pair, measure
from bench.world import World
from cs_platform.lib.scoping import workspace_scope
from health.services.fold import fold_pending

_TABLES = {
    "health_usagerollup": "account_id, name, day, events, quantity",
    "health_accountday": "account_id, day, events, quantity, active_contacts, distinct_names",
}
_PEOPLE = "account_id, person_key, block, bits"
_MARK = """
INSERT INTO health_intakebatch (workspace_id, received_at, source, events, account_ids, days)
SELECT %(w)s, now(), 'bench', count(*), array_agg(DISTINCT account_id), array_fill(%(day)s::date, ARRAY[count(DISTINCT account_id)::int])
FROM health_event WHERE workspace_id = %(w)s AND occurred_at >= %(from)s AND occurred_at < %(to)s
"""


class Day:
    """The day before `as_of`: its rows as COPY text, and the ways to take them out again."""

    def __init__(self, world: World) -> None:
        self.workspace = world.used_workspace.pk
        self.day = world.as_of - timedelta(days=1)
        start = datetime.combine(self.day, time(), UTC)
        self.parameters: dict[str, Any] = {
            "w": self.workspace,
            "day": self.day,
            "from": start,
            "to": start + timedelta(days=1),
        }
        number = (self.day - datetime(1970, 1, 1, tzinfo=UTC).date()).days
        self.parameters |= {"block": number // 32, "bit": 1 << number % 32}
        self.texts = {
            table: self._text(table, columns, "day = %(day)s") for table, columns in _TABLES.items()
        }
        self.texts["health_contactdays"] = self._text(
            "health_contactdays", _PEOPLE, "block = %(block)s AND bits & %(bit)s <> 0"
        )
        self._floor_tables()

    def _text(self, table: str, columns: str, where: str) -> tuple[str, str]:
        query = f"SELECT workspace_id, {columns} FROM {table} WHERE workspace_id = %(w)s AND {where}"
        lines = ["\t".join(map(str, row)) + "\n" for row in self.ask(query)]
        return f"workspace_id, {columns}", "".join(lines)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with workspace_scope(self.workspace), connection.cursor() as cursor:
            cursor.execute(query, self.parameters)
            return list(cursor.fetchall()) if cursor.description else []

    def _floor_tables(self) -> None:
        with connections["owner"].cursor() as cursor:
            for table in self.texts:
                cursor.execute(f"CREATE TABLE IF NOT EXISTS bench_{table} (LIKE {table} INCLUDING ALL)")

    def floor(self) -> None:
        """Scan the day's events, COPY the finished rows; emptying the tables is part of it, and cheap."""
        self.ask(
            "SELECT count(*), sum(quantity) FROM health_event"
            " WHERE workspace_id = %(w)s AND occurred_at >= %(from)s AND occurred_at < %(to)s"
        )
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            for table, (columns, text) in self.texts.items():
                cursor.execute(f"TRUNCATE bench_{table}")
                with cursor.copy(f"COPY bench_{table} ({columns}) FROM STDIN") as copy:
                    copy.write(text)

    def take_out(self) -> None:
        """As if the day had never been folded; its cells are marked."""
        for table in _TABLES:
            self.ask(f"DELETE FROM {table} WHERE workspace_id = %(w)s AND day = %(day)s")
        self.ask(
            "UPDATE health_contactdays SET bits = bits & ~%(bit)s::bigint"
            " WHERE workspace_id = %(w)s AND block = %(block)s AND bits & %(bit)s <> 0"
        )
        self.ask("DELETE FROM health_intakebatch WHERE workspace_id = %(w)s")
        self.ask(_MARK)

    def mark(self) -> None:
        self.ask("DELETE FROM health_intakebatch WHERE workspace_id = %(w)s")
        self.ask(_MARK)

    def fold(self) -> int:
        with workspace_scope(self.workspace):
            return fold_pending()


@measure("fold_day", floor="scan of the day + COPY of its rows into keyed tables", goal=3)
def fold_day(world: World) -> Pair:
    day = Day(world)
    return Pair(day.floor, day.fold, day.take_out)


@measure("fold_day_again", floor="scan of the day + COPY of its rows into keyed tables", goal=3)
def fold_day_again(world: World) -> Pair:
    """A late event redoes its day: nothing but that cell is written."""
    day = Day(world)
    return Pair(day.floor, day.fold, day.mark)
