"""The HTTP server: standard library only, one thread, so that every request is one undivided step.

It binds the loopback address only. Connections are kept alive; a planned drop resets the connection.
"""

import asyncio
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote

from fake_stripe import control, pages
from fake_stripe.api import Answer, Request, answer_api, encode
from fake_stripe.billing.engine import run_due
from fake_stripe.delivery import courier
from fake_stripe.session import Session
from fake_stripe.world import World

LARGEST_HEAD = 64 * 1024
LARGEST_BODY = 4 * 1024 * 1024
HOST = "127.0.0.1"


async def serve(world: World, port: int, ready_file: Path | None = None) -> None:
    """Runs until cancelled. Prints one line when it can be used."""
    server = await asyncio.start_server(lambda r, w: _connection(world, r, w), HOST, port, limit=LARGEST_HEAD)
    bound = server.sockets[0].getsockname()[1]
    world.public_url = world.public_url or f"http://{HOST}:{bound}"
    print(f"ready http://{HOST}:{bound}", flush=True)
    background = [asyncio.create_task(courier(world)), asyncio.create_task(_ticking(world))]
    try:
        async with server:
            await server.serve_forever()
    finally:
        for task in background:
            task.cancel()


async def _ticking(world: World) -> None:
    """With an unfrozen clock, what is due happens by itself."""
    while True:
        if not world.is_frozen():
            with world.store.transaction():
                run_due(Session(world), None, world.now(), limit=200)
        await asyncio.sleep(1)


async def _connection(world: World, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while request := await _read(reader):
            answer = await _answer(world, request)
            if answer.dropped:
                writer.transport.abort()
                return
            writer.write(_bytes(answer, head_only=request.method == "HEAD"))
            await writer.drain()
            if request.headers.get("connection", "").lower() == "close":
                break
    except asyncio.CancelledError:
        # The server stops: every answered request is committed already.
        return
    except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        # The other side went away, or does not speak HTTP: nothing to answer.
        pass
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    length = int(headers.get("content-length") or 0)
    if length > LARGEST_BODY:
        return None
    body = (await reader.readexactly(length)).decode() if length else ""
    path, _, query = target.partition("?")
    return Request(method, unquote(path), query, headers, body)


async def _answer(world: World, request: Request) -> Answer:
    if request.path.startswith("/v1/"):
        return await answer_api(world, request)
    if request.path.startswith("/_fake/"):
        return await control.answer(world, request)
    if request.path == "/healthz":
        return Answer(200, b"ok", kind="text/plain")
    if found := pages.answer(world, request):
        return found
    return Answer(404, encode({"error": {"type": "invalid_request_error", "message": "No such page."}}))


def _bytes(answer: Answer, *, head_only: bool) -> bytes:
    reason = HTTPStatus(answer.status).phrase
    headers = {"Content-Type": answer.kind, "Content-Length": str(len(answer.body)), **answer.headers}
    head = f"HTTP/1.1 {answer.status} {reason}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    return head.encode() + b"\r\n" + (b"" if head_only else answer.body)
