"""Bearer API keys: who calls, with which scope of access, in which workspace, how fast."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_args

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from accounts.api.in_flight import in_flight
from accounts.api.problems import MOST_BYTES, MOST_BYTES_OF_BATCH, Problem, invalid, too_large
from accounts.models import ApiKey
from accounts.services.api_pace import Pace, refusals, spend
from accounts.services.workspaces import key_scope
from cs_platform.lib.scoping import workspace_scope
from cs_platform.lib.signing import parse_credential

# What each scope of a key includes.
_INCLUDES = {
    ApiKey.Scope.READ: frozenset({"read"}),
    ApiKey.Scope.WRITE: frozenset({"read", "write"}),
    ApiKey.Scope.PUBLISH: frozenset({"publish"}),
}


class BearerKey(HttpBearer):
    """`Authorization: Bearer <scope>_<workspace>.<secret>`; foreign, revoked and malformed look alike."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        credential = parse_credential(token)
        if credential is None:
            return None
        if early := refusals.of(credential):
            request.api_pace = early  # type: ignore[attr-defined]
            raise _too_many(early)
        with key_scope(credential) as key:
            if key is None:
                return None
            pace = request.api_pace = spend(key)  # type: ignore[attr-defined]
            if not pace.wait:
                _note_use(key)
        if pace.next_in:
            refusals.remember(credential, pace)
        if pace.wait:
            raise _too_many(pace)
        _refuse_by_length(request)
        if pace.is_greedy:
            in_flight.let_others_go_first()
        return key


def _too_many(pace: Pace) -> Problem:
    return Problem(429, "too_many_requests", f"This key asked too often. Try again in {pace.retry_after} s.")


def pace_headers(request: HttpRequest) -> dict[str, str]:
    """What every answer to a valid key says about its limit."""
    pace = getattr(request, "api_pace", None)
    return pace.headers() if pace else {}


def needs(access: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run an endpoint inside the key's workspace, if the key's scope includes `access`."""

    def decorate(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        known = _query_names(endpoint)

        @functools.wraps(endpoint)
        def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            key: ApiKey = request.auth  # type: ignore[attr-defined]
            if access not in _INCLUDES[ApiKey.Scope(key.scope)]:
                raise Problem(403, "forbidden", f"This key has the scope {key.scope}; {access} is needed.")
            _refuse_parameters(request, known)
            with workspace_scope(key.workspace.pk):
                return endpoint(request, *args, **kwargs)

        scoped.api_access = access  # type: ignore[attr-defined]
        return scoped

    return decorate


def _query_names(endpoint: Callable[..., Any]) -> frozenset[str]:
    """Endpoints take their query parameters as one schema named `filters`."""
    parameter = inspect.signature(endpoint).parameters.get("filters")
    return frozenset(get_args(parameter.annotation)[0].model_fields) if parameter else frozenset()


def _refuse_parameters(request: HttpRequest, known: frozenset[str]) -> None:
    """A filter with a typing error must not answer with everything, nor one of two win by chance."""
    for name, values in request.GET.lists():
        if name not in known:
            raise invalid(name, "unknown_parameter", "there is no such parameter here")
        if len(values) > 1:
            raise invalid(name, "repeated_parameter", "give it once")


def _refuse_by_length(request: HttpRequest) -> None:
    """Before a byte of the body is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    limit = MOST_BYTES_OF_BATCH if request.path.endswith("/batch/") else MOST_BYTES
    if length.isdecimal() and int(length) > limit:
        raise too_large(limit)


def _note_use(key: ApiKey) -> None:
    """The day of the last use; at most one write a day."""
    today = timezone.now().date()
    if key.last_used_on != today:
        ApiKey.objects.filter(pk=key.pk).update(last_used_on=today)
