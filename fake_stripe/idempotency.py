"""Stripe's v1 idempotency: the first result of an executed request is kept for 24 hours, 500s included."""

from typing import Any

from fake_stripe.errors import ApiError
from fake_stripe.world import World

KEPT_SECONDS = 24 * 3600
LONGEST = 255


def recall(world: World, key: str, fingerprint: str) -> tuple[int, bytes, str] | None:
    """(status, body, first request's id) kept under this key; None = execute.

    From 24 hours on (of the fake's clock) the key is forgotten and makes a new request. Other parameters under
    a kept key are an error.
    """
    if len(key) > LONGEST:
        message = f"Idempotency key too long: it may have {LONGEST} characters at most."
        raise ApiError(400, "idempotency_error", message, kept=False)
    row: Any = world.store.db.execute(
        "SELECT fingerprint, status, body, request, created FROM idempotency WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        return None
    if row[4] <= world.now() - KEPT_SECONDS:
        world.store.db.execute("DELETE FROM idempotency WHERE key = ?", (key,))
        return None
    if row[0] != fingerprint:
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request."
        )
        raise ApiError(400, "idempotency_error", message, kept=False)
    return int(row[1]), bytes(row[2]), str(row[3])


def remember(world: World, key: str, fingerprint: str, status: int, body: bytes, request: str) -> None:
    world.store.db.execute(
        "INSERT INTO idempotency VALUES (?, ?, ?, ?, ?, ?)",
        (key, fingerprint, status, body, request, world.now()),
    )
