"""What a workspace feels of another one whose key asks ten times as often as it may.

A neighbour asks for a page of accounts 16 times a second, alone (the floor) and beside the noise (the work): both
figures are the 95th percentile of its answers, the first burst of the noise included. Server, database, neighbour and
noise share this machine.
"""

from __future__ import annotations

import http.client
import multiprocessing
import random
import threading
import time
from itertools import cycle
from math import ceil
from typing import Any

from accounts.models import Workspace
from accounts.services.workspaces import create_api_key
from bench.http_load import start_server
from bench.measure_queue import fill
from bench.measures import Pair, Taken, measure
from bench.world import World
from cs_platform.lib.scoping import workspace_scope

ACCOUNTS = 500
WINDOW_SECONDS = 60.0
ROUNDS = 3
NEIGHBOUR_A_SECOND = 16
NOISE_A_SECOND, NOISE_THREADS = 100, 10
PAGE = "/api/v1/accounts/?limit=20"


@measure("noisy_neighbour", floor="p95 of the neighbour alone", goal=1.2)
def noisy_neighbour(world: World) -> Pair:
    quiet, loud = (
        World(world.postgres, name=name, accounts=ACCOUNTS, bare=True) for name in ("quiet", "loud")
    )
    for one in (quiet, loud):
        fill(one)
    port = start_server()
    # Two keys, as the neighbour asks more often than one may.
    keys = [read_key(quiet.workspace), read_key(quiet.workspace)]
    noise = Noise(port, read_key(loud.workspace))

    def alone() -> Taken:
        return Taken(p95(asked(port, keys)))

    def beside() -> Taken:
        with noise:
            return Taken(p95(asked(port, keys)))

    return Pair(alone, beside, rounds=ROUNDS, extras=lambda: {"noise": noise.answers()})


def read_key(workspace: Workspace) -> str:
    with workspace_scope(workspace.pk):
        return str(create_api_key(workspace=workspace, scope="read", acting_user=None)[1])


def asked(port: int, keys: list[str]) -> list[float]:
    """Seconds of each answer, asked one after the other at a steady rate. A refusal ends the benchmark."""
    found, began = [], time.perf_counter()
    for number, key in enumerate(cycle(keys)):
        turn = began + number / NEIGHBOUR_A_SECOND
        if turn > began + WINDOW_SECONDS:
            return found
        time.sleep(max(0.0, turn - time.perf_counter()))
        start = time.perf_counter()
        if (status := ask(port, key)) != 200:
            raise RuntimeError(f"the neighbour was answered {status}")
        found.append(time.perf_counter() - start)
    return found


def ask(port: int, key: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", PAGE, headers={"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def p95(found: list[float]) -> float:
    return sorted(found)[ceil(0.95 * len(found)) - 1]


class Noise:
    """A process of its own that asks while the block runs, as often as it is told, whatever the answers are."""

    def __init__(self, port: int, key: str) -> None:
        context = multiprocessing.get_context("fork")
        self._on = context.Event()
        self._counts: Any = context.Array("i", 2)
        context.Process(target=self._run, args=(port, key), daemon=True).start()

    def __enter__(self) -> None:
        self._on.set()

    def __exit__(self, *error: object) -> None:
        self._on.clear()
        time.sleep(1)  # what was asked is answered

    def answers(self) -> str:
        return "{} answered, {} refused".format(*self._counts)

    def _run(self, port: int, key: str) -> None:
        for _ in range(NOISE_THREADS):
            threading.Thread(target=self._ask, args=(port, key)).start()

    def _ask(self, port: int, key: str) -> None:
        """Each thread at moments of its own, as callers who know nothing of each other (a Poisson process)."""
        while self._on.wait():
            start = time.perf_counter()
            was_refused = ask(port, key) == 429
            with self._counts.get_lock():
                self._counts[was_refused] += 1
            pause = random.expovariate(NOISE_A_SECOND / NOISE_THREADS)
            time.sleep(max(0.0, pause - (time.perf_counter() - start)))
