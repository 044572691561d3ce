"""The snapshot of all accounts against one parallel scan of the events of 180 days."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from django.db import connection

from bench.measures import Pair, measure
from bench.world import DAYS, World
from cs_platform.lib.scoping import workspace_scope
from cs_platform.lib.shards import Shard
from health.models import AccountSnapshot
from health.services.nights import shard_count
from health.services.snapshots import take_snapshots
from health.services.states import refresh_states


def scan_events(world: World) -> Any:
    """The floor: count and sum over the raw events, on all cores."""
    with workspace_scope(world.used_workspace.pk), connection.cursor() as cursor:
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 4")
        cursor.execute(
            "SELECT count(*), sum(quantity) FROM health_event"
            " WHERE workspace_id = %s AND occurred_at >= %s AND occurred_at < %s",
            [world.workspace.pk, world.start, world.start + timedelta(days=DAYS)],
        )
        return cursor.fetchone()


def in_shards(world: World, stage: Callable[..., int]) -> int:
    """A stage as the night runs it: cut into shards, one connection and transaction each, on all cores."""
    shards = shard_count(world.accounts)

    def run(index: int) -> int:
        try:
            with workspace_scope(world.workspace.pk):
                return stage(as_of=world.as_of, shard=Shard(index, shards))
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=4) as pool:
        return sum(pool.map(run, range(shards)))


@measure("snapshot", floor="one parallel scan of the events of 180 days", goal=2.5)
def snapshot(world: World) -> Pair:
    workspace = world.used_workspace

    def work() -> int:
        return in_shards(world, take_snapshots)

    def reset() -> None:
        with workspace_scope(workspace.pk):
            AccountSnapshot.objects.all()._raw_delete("default")

    return Pair(lambda: scan_events(world), work, reset)


@measure("states", floor="one parallel scan of the events of 180 days", goal=2.5)
def states(world: World) -> Pair:
    workspace = world.used_workspace
    with workspace_scope(workspace.pk):
        take_snapshots(as_of=world.as_of)

    def work() -> int:
        return in_shards(world, refresh_states)

    return Pair(lambda: scan_events(world), work)
