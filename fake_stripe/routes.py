"""Which handler answers which request. Each room of `objects/` registers its own."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fake_stripe.session import Session
from fake_stripe.wire import Json

Handler = Callable[..., Json]


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    params: str
    handler: Handler
    resource: str


ROUTES: dict[tuple[str, str], list[Route]] = {}


def route(method: str, path: str, params: str) -> Callable[[Handler], Handler]:
    """`params` names the SDK's class that the request's parameters must fit."""

    def register(handler: Handler) -> Handler:
        expression = re.compile(re.sub(r"{\w+}", r"([^/]+)", path) + r"\Z")
        resource = path.split("/")[2]
        found = Route(method, expression, params, handler, resource)
        ROUTES.setdefault((method, resource), []).append(found)
        return handler

    return register


def find_route(method: str, path: str) -> tuple[Route, tuple[Any, ...]] | None:
    parts = path.split("/")
    for candidate in ROUTES.get((method, parts[2] if len(parts) > 2 else ""), ()):
        if found := candidate.pattern.match(path):
            return candidate, found.groups()
    return None


__all__ = ["ROUTES", "Handler", "Route", "Session", "find_route", "route"]
