"""The intake against COPY as owner into the same keyed table, and over HTTP against a rate."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections, transaction

from bench.http_load import HttpLoad
from bench.measures import ROUNDS, Pair, measure
from bench.world import World
from cs_platform.lib.scoping import workspace_scope
from health.intake import limits
from health.intake.rows import EventRow, checked
from health.services.events import store_events

NOW = datetime.now(UTC)
HTTP_EVENTS = 40_000
GOAL_PER_SECOND = 10_000

_FLOOR_COLUMNS = (
    "workspace_id, account_id, contact_id, received_at, occurred_at, message_hash, quantity, name,"
    " user_key, group_key, properties"
)


def rows(world: World, count: int, seed: int) -> list[EventRow]:
    """Events of known people over 180 days, with a small object of properties."""
    draw = random.Random(seed)
    mark = secrets.token_hex(6)
    return [
        EventRow(
            occurred_at=NOW - timedelta(seconds=draw.randrange(180 * 86_400)),
            name=f"Feature {draw.randrange(12)}",
            message_id=f"{mark}-{number}",
            user_key=f"a{1 + draw.randrange(world.accounts)}-{1 + draw.randrange(2)}",
            properties={"plan": "growth", "number": number},
        )
        for number in range(count)
    ]


def batches(found: list[EventRow], size: int) -> Iterator[list[EventRow]]:
    return (found[start : start + size] for start in range(0, len(found), size))


def copy_text(world: World, found: list[EventRow]) -> str:
    """The same rows as COPY takes them, made beforehand: the floor is the database alone."""
    workspace = world.workspace.pk
    lines = []
    for row in found:
        stored = checked(row, latest=NOW + limits.AHEAD)
        lines.append(
            f"{workspace}\t1\t1\t{NOW}\t{stored.occurred_at}\t\\\\x{stored.message_hash.hex()}\t1\t{stored.name}"
            f"\t{stored.user_key}\t-\t{stored.properties}\n"
        )
    return "".join(lines)


def make_floor_table() -> None:
    """The event table once more, with its partitions and indexes and without a policy."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT to_regclass('bench_event') IS NULL")
        if not cursor.fetchone()[0]:
            return
        cursor.execute(
            "CREATE TABLE bench_event (LIKE health_event INCLUDING ALL) PARTITION BY RANGE (occurred_at)"
        )
        cursor.execute(
            "SELECT relname, pg_get_expr(relpartbound, c.oid) FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
            " WHERE inhparent = 'health_event'::regclass"
        )
        for name, bounds in cursor.fetchall():
            cursor.execute(f'CREATE TABLE "bench_{name}" PARTITION OF bench_event {bounds}')


def database_part(world: World, *, total: int, size: int) -> Pair:
    make_floor_table()
    floors = iter(
        [[copy_text(world, part) for part in batches(rows(world, total, n), size)] for n in range(ROUNDS + 1)]
    )
    waiting: list[list[EventRow]] = []

    def floor() -> int:
        for text in next(floors):
            with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
                copying = cursor.copy(f"COPY bench_event ({_FLOOR_COLUMNS}) FROM STDIN")
                with copying as copy:
                    copy.write(text)
        return total

    def reset() -> None:
        waiting[:] = batches(rows(world, total, secrets.randbits(30)), size)

    def work() -> int:
        stored = 0
        for part in waiting:
            with workspace_scope(world.workspace.pk):
                stored += store_events(part, received_at=NOW, source="bench").stored
        return stored

    return Pair(floor, work, reset)


@measure("intake_20000", floor="COPY as owner into the same keyed table", goal=0.25, rate=True)
def intake_20000(world: World) -> Pair:
    return database_part(world, total=60_000, size=20_000)


@measure("intake_100", floor="COPY as owner into the same keyed table", goal=0.1, rate=True)
def intake_100(world: World) -> Pair:
    return database_part(world, total=10_000, size=100)


@measure(
    "intake_http", floor=f"{GOAL_PER_SECOND:,} events/s; RudderStack publishes 1,900", goal=1.0, rate=True
)
def intake_http(world: World) -> Pair:
    """Batches of 100 by two client processes, web server and Postgres on the same machine, fsync on."""
    load = HttpLoad(world.workspace, world.accounts)

    def work() -> Any:
        return load.send(HTTP_EVENTS)

    return Pair(lambda: time.sleep(HTTP_EVENTS / GOAL_PER_SECOND), work, load.prepare, rounds=3)
