"""The webhook inbox: what working on one message of Stripe costs, and what messages that always fail cost the others.

The floor of a message is one bare fetch of what it is about, on a connection that is kept, and one insert of the
answer into a keyed table, committed; by as many processes as work on the messages. The mirror reads an object with
everything around it (an invoice with its payments and charges), but once for all messages that came before.
"""

from __future__ import annotations

import http.client
import logging
import multiprocessing
import os
import time
from atexit import register
from datetime import timedelta
from functools import cached_property
from typing import Any

import psycopg
from django.db import connection, connections

from accounts.gateways.stripe.reading import parsed_event
from accounts.models import BillingMessage
from accounts.registry import BillingReader, billing_readers
from accounts.services import billing_messages
from accounts.services.billing_inbox import MESSAGE_JOB, target_of
from accounts.services.jobs import run_due_jobs
from bench.measures import Pair, Taken, measure
from bench.provider import KEY, Json, Provider
from bench.world import World
from cs_platform.embedded.postgres import DATABASE, OWNER_ROLE
from cs_platform.lib.scoping import workspace_scope

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "120"))
LIVE, WORKERS = 60, 4
POISON_EVERY = 100
POISON = "bench.poison"
# By the beginning of its id, where an object is.
_PLACES = {"in": "invoices", "sub": "subscriptions", "cus": "customers", "price": "prices", "prod": "products",
           "pi": "payment_intents", "pm": "payment_methods", "ch": "charges"}  # fmt: skip


class Inbox:
    """The provider, and workers forked once, for all measures."""

    def __init__(self, world: World) -> None:
        billing_readers.register(BillingReader(POISON, _fail))
        # All five tries of a message that fails lie within the measured time.
        billing_messages.RETRY_AFTER = timedelta(milliseconds=20)
        self.provider = Provider(world, CUSTOMERS)
        host = str(world.postgres.sockets)
        with psycopg.connect(host=host, user=OWNER_ROLE, dbname=DATABASE, autocommit=True) as owner:
            owner.execute("CREATE TABLE bench_fetched (number int PRIMARY KEY, body jsonb)")
            owner.execute("GRANT ALL ON bench_fetched TO PUBLIC")
        connections.close_all()
        self._pool = multiprocessing.get_context("fork").Pool(WORKERS, _quiet)
        register(self._pool.terminate)

    @cached_property
    def paths(self) -> list[str]:
        """What each message is about, as an address."""
        found = [target_of(parsed_event(message)) for message in self.provider.messages]
        return [f"/v1/{_PLACES[one.partition('_')[0]]}/{one}" for one in found if one]

    def drain(self) -> None:
        self._pool.starmap(_drain, [(self.provider.workspace_id,)] * WORKERS, chunksize=1)

    def fetch(self, paths: list[str], workers: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE bench_fetched")
        numbered = list(enumerate(paths))
        shares = [(self.provider.url, numbered[one::workers]) for one in range(workers)]
        self._pool.starmap(_fetch, shares, chunksize=1)


_inbox: list[Inbox] = []


def inbox(world: World) -> Inbox:
    if not _inbox:
        _inbox.append(Inbox(world))
    return _inbox[0]


@measure("messages_flood", floor="bare fetch + insert of what each message is about", goal=1.0)
def flood(world: World) -> Pair:
    """All messages are here before the first is worked on: the first of the month, or an hour's list."""
    here = inbox(world)

    def reset() -> None:
        here.provider.forget()
        here.provider.deliver(here.provider.messages)

    return Pair(
        lambda: here.fetch(here.paths, WORKERS),
        here.drain,
        reset=reset,
        output=here.provider.mirrored,
        extras=lambda: {"messages": len(here.paths), "workers": WORKERS},
    )


@measure("messages_single", floor="bare fetch + insert of what each message is about", goal=6.0)
def single(world: World) -> Pair:
    """Each message is worked on before the next one comes, so none is answered by another's read; one worker."""
    here = inbox(world)
    told = here.provider.messages[:LIVE]

    def work() -> None:
        for message in told:
            here.provider.deliver([message])
            run_due_jobs(limit=1, kind=MESSAGE_JOB)

    return Pair(
        lambda: here.fetch(here.paths[: len(told)], 1),
        work,
        reset=here.provider.forget,
        output=here.provider.mirrored,
        extras=lambda: {"messages": len(told), "workers": 1},
    )


@measure("messages_poison", floor="the same messages without those that always fail", goal=0.95, rate=True)
def poison(world: World) -> Pair:
    """One message in a hundred has a handler that always raises; all its five tries lie within the run. The time is
    until all others are worked on, so the ratio is of their throughput."""
    here = inbox(world)
    _quiet()  # each failure is told with its trace
    good = here.provider.messages
    bad: list[Json] = []
    for number, message in enumerate(good):
        bad.append(message)
        if number % POISON_EVERY == 0:
            bad.append({**message, "id": f"evt_poison_{number}", "type": POISON})

    def timed(messages: list[Json]) -> Taken:
        here.provider.forget()
        here.provider.deliver(messages)
        began = time.perf_counter()
        here.drain()
        return Taken(time.perf_counter() - began)

    def output() -> tuple[int, ...]:
        """Once the last tries are over: the mirror, and how many were parked after five."""
        while here.provider.mirrored()[-1]:
            run_due_jobs(limit=100, kind=MESSAGE_JOB)
        with workspace_scope(here.provider.workspace_id):
            parked = BillingMessage.objects.filter(parked_at__isnull=False, failures=5)
            return (*here.provider.mirrored(), parked.count())

    return Pair(
        lambda: timed(good),
        lambda: timed(bad),
        output=output,
        extras=lambda: {"messages": len(good), "poison": len(bad) - len(good), "workers": WORKERS},
    )


def _fail(gateway: Any, message: BillingMessage) -> Any:
    raise RuntimeError("a handler that always raises")


def _quiet() -> None:
    logging.disable(logging.CRITICAL)


def _drain(workspace_id: int) -> None:
    """Until every message is done but those that fail."""
    while True:
        if run_due_jobs(limit=20, kind=MESSAGE_JOB, workspace_id=workspace_id):
            continue
        with workspace_scope(workspace_id):
            others = BillingMessage.objects.filter(processed_at__isnull=True).exclude(message_type=POISON)
            if not others.exists():
                return
        time.sleep(0.002)


def _fetch(url: str, wanted: list[tuple[int, str]]) -> None:
    kept = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    for number, path in wanted:
        kept.request("GET", path, headers={"Authorization": f"Bearer {KEY}"})
        body = kept.getresponse().read()
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench_fetched VALUES (%s, %s)", [number, body.decode()])
    kept.close()
