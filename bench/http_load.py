"""Clients that send ready batches to a real gunicorn on the benchmark's database."""

from __future__ import annotations

import base64
import http.client
import json
import multiprocessing
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from atexit import register

from accounts.models import Workspace
from accounts.services.workspaces import create_api_key
from cs_platform.lib.scoping import workspace_scope

CLIENTS = 2
THREADS = 4
BATCH = 100


def start_server(**environment: str) -> int:
    """The real web server on the benchmark's database, until the benchmark ends; returns its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "gunicorn", "--config", "python:cs_platform.web_server",
         "cs_platform.wsgi"],
        env=os.environ | {"PORT": str(port), "CS_PROCESS": "web", "LOG_LEVEL": "ERROR"} | environment,
        start_new_session=True,
    )  # fmt: skip
    register(lambda: os.killpg(server.pid, signal.SIGKILL))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return port
    raise TimeoutError("the web server did not start")


class HttpLoad:
    """Starts the server once; `prepare` makes bodies, `send` sends them and waits for every answer."""

    def __init__(self, workspace: Workspace, accounts: int) -> None:
        with workspace_scope(workspace.pk):
            self._key = str(create_api_key(workspace=workspace, scope="write", acting_user=None)[1])
        self._accounts = accounts
        self._bodies: list[bytes] = []
        self._port = start_server(INTAKE_EVENTS_PER_SECOND="1000000")

    def prepare(self, events: int = 40_000) -> None:
        """Bodies with new message ids, made while nobody counts."""
        self._bodies = [self._body(number) for number in range(events // BATCH)]

    def _body(self, number: int) -> bytes:
        draw = random.Random(secrets.randbits(40))
        messages = [
            {
                "type": "track",
                "event": f"Feature {draw.randrange(12)}",
                "userId": f"a{1 + draw.randrange(self._accounts)}-1",
                "messageId": f"{secrets.token_hex(8)}-{number}-{place}",
                "timestamp": f"2026-11-{1 + draw.randrange(20):02}T{draw.randrange(24):02}:{draw.randrange(60):02}:00Z",
                "context": {"library": {"name": "bench", "version": "1"}},
                "properties": {"plan": "growth", "number": place},
            }
            for place in range(BATCH)
        ]
        return json.dumps({"batch": messages}).encode()

    def send(self, events: int) -> int:
        """Returns how many events were acknowledged."""
        shares = [self._bodies[start::CLIENTS] for start in range(CLIENTS)]
        context = multiprocessing.get_context("fork")
        done = context.Queue()
        clients = [
            context.Process(target=_client, args=(self._port, self._key, share, done)) for share in shares
        ]
        for client in clients:
            client.start()
        acknowledged = sum(done.get() for _ in clients)
        for client in clients:
            client.join()
        if acknowledged * BATCH != events:
            raise RuntimeError(f"{acknowledged * BATCH} of {events} events were acknowledged")
        return acknowledged * BATCH


def _client(port: int, key: str, bodies: list[bytes], done: multiprocessing.Queue[int]) -> None:
    token = base64.b64encode(f"{key}:".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
    waiting, lock, acknowledged = iter(bodies), threading.Lock(), []

    def run() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                body = next(waiting, None)
            if body is None:
                return
            connection.request("POST", "/v1/batch", body, headers)
            answer = connection.getresponse()
            answer.read()
            acknowledged.append(answer.status == 200)

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.put(sum(acknowledged))
