"""The control API under /_fake/: JSON in, JSON out, no key. It steers the fake; Stripe has nothing like it."""

import json
from collections.abc import Callable
from typing import Any

from fake_stripe.api import Answer, Request, encode
from fake_stripe.errors import ApiError
from fake_stripe.session import Session
from fake_stripe.wire import Json, parse_form
from fake_stripe.world import World

Command = Callable[[Session, Json], Any]
COMMANDS: dict[tuple[str, str], Command] = {}


class Wrong(Exception):
    """A command that makes no sense; its text is the answer."""


def command(method: str, name: str) -> Callable[[Command], Command]:
    def register(function: Command) -> Command:
        COMMANDS[method, name] = function
        return function

    return register


async def answer(world: World, request: Request) -> Answer:
    """One command in one transaction; a mistake answers 400 with its reason and changes nothing."""
    from fake_stripe.control import looking, money, seeding, steering  # noqa: F401

    name = request.path.removeprefix("/_fake/").strip("/")
    found = COMMANDS.get((request.method, name))
    if found is None:
        known = sorted(f"{method} /_fake/{path}" for method, path in COMMANDS)
        return Answer(404, encode({"error": f"no such command; there are {', '.join(known)}"}))
    try:
        given = parse_form(request.query) if request.method == "GET" else json.loads(request.body or "{}")
        with world.store.transaction():
            result = found(Session(world), given)
    except (Wrong, ApiError, ValueError, KeyError, TypeError) as mistake:
        return Answer(400, encode({"error": f"{type(mistake).__name__}: {mistake}"}))
    world.wake()
    return Answer(200, encode(result if isinstance(result, dict) else {"data": result}))
