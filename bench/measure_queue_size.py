"""Server time of the queue page as the workspace grows: 95th percentile, time in SQL, number of queries."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from django.db import connection
from django.test import Client

from accounts.models import Membership
from bench.measure_queue import compare, fill
from bench.measures import Pair, measure
from bench.world import World

ROUNDS = 60
LARGE = int(os.environ.get("BENCH_QUEUE_ACCOUNTS", "100000"))


def timed_queries(membership: Membership, path: str) -> dict[str, Any]:
    """Number of statements of one page, and their time from sending to the first answer."""
    client, seconds = Client(headers={"host": "localhost"}), []

    def watch(execute: Any, *arguments: Any) -> Any:
        start = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            seconds.append(time.perf_counter() - start)

    client.force_login(membership.user)
    with ExitStack() as stack:
        for _ in range(2):
            client.get(path)
        stack.enter_context(connection.execute_wrapper(watch))
        page = client.get(path)
    assert page.status_code == 200, page.status_code
    return {
        "statements": len(seconds),
        "sql_ms": round(1000 * sum(seconds), 1),
        "slowest_ms": round(1000 * max(seconds), 1),
    }


def timed(world: World) -> Pair:
    membership = fill(world)
    pair = compare(membership, "/queue/?csm=all")
    return replace(pair, rounds=ROUNDS, extras=lambda: timed_queries(membership, "/queue/?csm=all"))


@measure("queue_p95", floor="the same template from ready dataclasses", goal=0.05, seconds=True)
def queue_p95(world: World) -> Pair:
    return timed(world)


@measure("queue_p95_large", floor=f"the same, {LARGE:,} accounts", goal=0.05, seconds=True)
def queue_p95_large(world: World) -> Pair:
    return timed(World(world.postgres, name="large", accounts=LARGE, bare=True))
