"""One log line and one measurement per request, by URL pattern."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from cs_platform.monitoring.measures import REQUESTS, SECONDS

_GIVEN_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_QUIET = frozenset({"healthz", "readyz", "metrics"})
log = structlog.get_logger("cs_platform.request")


def request_id(request: HttpRequest) -> str:
    """The proxy's id where it is a plain one, else a new random one."""
    given = request.headers.get("X-Request-ID", "")
    return given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex


class RequestLog:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        identity = request_id(request)
        with structlog.contextvars.bound_contextvars(request_id=identity):
            response = self.get_response(request)
            seconds = time.perf_counter() - started
            route = request.resolver_match.route if request.resolver_match else "unmatched"
            method = request.method or "?"
            REQUESTS.labels(method, route, str(response.status_code)).inc()
            SECONDS.labels(route).observe(seconds)
            if route not in _QUIET:
                log.info(
                    "request",
                    method=method,
                    route=route,
                    status=response.status_code,
                    ms=round(seconds * 1000, 1),
                )
        response["X-Request-ID"] = identity
        return response
