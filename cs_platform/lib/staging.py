"""Large set-based statements, planned for whole tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from uuid import uuid4

from django.db import connection

# Nested loops are the right plan for one account. For all of them they are picked only when statistics are
# missing or a shard's share is guessed too small, and then cost fifty times as much.
MANY = 100
SETTINGS = {"work_mem": "'128MB'", "max_parallel_workers_per_gather": "4", "enable_nestloop": "off"}


@contextmanager
def planned_for_all(cursor: Any) -> Iterator[None]:
    """Plan the statements of the block for large sets; the transaction's own settings return after it."""
    cursor.execute("; ".join(f"SET LOCAL {name} = {value}" for name, value in SETTINGS.items()))
    yield
    cursor.execute("; ".join(f"SET LOCAL {name} TO DEFAULT" for name in SETTINGS))


@contextmanager
def planned_for(cursor: Any, accounts: int) -> Iterator[None]:
    """As `planned_for_all` from MANY accounts on; below that the planner has its way."""
    with planned_for_all(cursor) if accounts >= MANY else nullcontext():
        yield


def write_staged(select: str, params: dict[str, Any], insert: Callable[[str], str]) -> int:
    """Run `insert(name of the stage)` over the rows of `select`; returns the rows it wrote.

    The rows go through a temporary table: a statement that writes to a real one reads on one core only.
    """
    stage = f"stage_{uuid4().hex[:12]}"
    with connection.cursor() as cursor:
        with planned_for_all(cursor):
            cursor.execute(f"CREATE TEMP TABLE {stage} ON COMMIT DROP AS {select}", params)
        cursor.execute(insert(stage))
        written = int(cursor.rowcount)
        cursor.execute(f"DROP TABLE {stage}")
    return written
