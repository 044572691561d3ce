"""Bearer API keys: who calls, with which scope of access, in which workspace."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from accounts.api.problems import Problem
from accounts.models import ApiKey
from accounts.services.workspaces import find_api_key
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
        key = find_api_key(credential) if credential else None
        if key is not None:
            _note_use(key)
        return key


def needs(access: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run an endpoint inside the key's workspace, if the key's scope includes `access`."""

    def decorate(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(endpoint)
        def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            key: ApiKey = request.auth  # type: ignore[attr-defined]
            if access not in _INCLUDES[ApiKey.Scope(key.scope)]:
                raise Problem(403, "forbidden", f"This key has the scope {key.scope}; {access} is needed.")
            with workspace_scope(key.workspace.pk):
                return endpoint(request, *args, **kwargs)

        scoped.api_access = access  # type: ignore[attr-defined]
        return scoped

    return decorate


def _note_use(key: ApiKey) -> None:
    """The day of the last use; at most one write a day."""
    today = timezone.now().date()
    if key.last_used_on != today:
        with workspace_scope(key.workspace.pk):
            ApiKey.objects.filter(pk=key.pk).update(last_used_on=today)
