"""Webhooks: at least once, signed, and as late, doubled, shuffled or lost as the plan says."""

import asyncio
import hashlib
import hmac
import json
import random
import time
from typing import Any
from urllib.parse import urlsplit

from fake_stripe.wire import Json
from fake_stripe.world import World

TIMEOUT_SECONDS = 10


def enqueue(world: World, event: Json) -> None:
    """One row per endpoint that wants this type, and per planned duplicate."""
    plan = world.delivery
    for endpoint in world.endpoints():
        wanted = endpoint["enabled_events"]
        if "*" not in wanted and event["type"] not in wanted:
            continue
        if world.dice.random() < plan["drop_share"]:
            _insert(world, event, endpoint, 0.0, "dropped")
            continue
        low, high = plan["duplicates"]
        for _ in range(world.dice.randint(low, high)):
            late = _seconds(plan["delay_seconds"], world.dice)
            if plan["reorder"]:
                late += world.dice.random() * 2
            _insert(world, event, endpoint, time.time() + late, "pending")


def _seconds(value: Any, dice: random.Random) -> float:
    return dice.uniform(*value) if isinstance(value, list) else float(value)


def _insert(world: World, event: Json, endpoint: Json, due: float, state: str) -> None:
    world.store.db.execute(
        "INSERT INTO deliveries (event, endpoint, due, state) VALUES (?, ?, ?, ?)",
        (event["id"], endpoint["id"], due, state),
    )


def signature(payload: bytes, secrets: list[str], at: int) -> str:
    """The Stripe-Signature header; while a secret is being rolled, one signature by each."""
    signed = f"{at}.".encode() + payload
    macs = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={mac}" for mac in macs)])


async def courier(world: World) -> None:
    """Runs as long as the server: takes what is due, sends side by side, retries what was not answered with 2xx."""
    world.store.db.execute("UPDATE deliveries SET state = 'pending' WHERE state = 'sending'")
    running: set[asyncio.Task[None]] = set()
    while True:
        free = world.delivery["workers"] - len(running)
        rows = [] if world.delivery["paused"] or free <= 0 else _claim(world, free)
        for row in rows:
            task = asyncio.create_task(_send(world, row))
            running.add(task)
            task.add_done_callback(running.discard)
        if rows:
            await asyncio.sleep(0)
        elif running:
            await asyncio.wait(running, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
        else:
            await world.sleep_until_work(0.2)


def _claim(world: World, count: int) -> list[Json]:
    rows = world.store.rows(
        "SELECT seq, event, endpoint, tries FROM deliveries WHERE state = 'pending' AND due <= ? "
        "ORDER BY due, seq LIMIT ?",
        (time.time(), count),
    )
    for row in rows:
        world.store.db.execute("UPDATE deliveries SET state = 'sending' WHERE seq = ?", (row["seq"],))
    return rows


async def _send(world: World, row: Json) -> None:
    event = world.store.load("event", row["event"])
    endpoint = world.store.load("webhook_endpoint", row["endpoint"])
    if event is None or endpoint is None:
        return
    event.pop("clock", None)
    payload = json.dumps({**event, "pending_webhooks": 1}, indent=2).encode()
    at = world.now() if world.delivery.get("sign_at") == "fake" else int(time.time())
    header = signature(payload, endpoint["_secrets"], at)
    try:
        status = await asyncio.wait_for(_post(endpoint["url"], payload, header), TIMEOUT_SECONDS)
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
        status = 0
    _note(world, row, status)


def _note(world: World, row: Json, status: int) -> None:
    tries = row["tries"] + 1
    waits = world.delivery["retry_seconds"]
    if 200 <= status < 300:
        state, due = "delivered", 0.0
    elif tries <= len(waits):
        state, due = "pending", time.time() + waits[tries - 1]
    else:
        state, due = "failed", 0.0
    world.store.db.execute(
        "UPDATE deliveries SET state = ?, due = ?, tries = ?, status = ? WHERE seq = ?",
        (state, due, tries, status, row["seq"]),
    )


async def _post(url: str, payload: bytes, header: str) -> int:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        head = (
            f"POST {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: Stripe/1.0 (+fake)\r\n"
            f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(payload)}\r\n"
            f"Stripe-Signature: {header}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + payload)
        await writer.drain()
        line = await reader.readline()
        # Read to the end, so that the receiver never sees its answer thrown away.
        await reader.read()
        return int(line.split(b" ")[1])
    except IndexError:
        return 0
    finally:
        writer.close()
