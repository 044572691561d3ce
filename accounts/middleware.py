"""A session that a workspace's provider vouched for may not touch the login itself.

Its password, second factor, mail address and links hold in every workspace of the person; the provider
speaks for one. Otherwise who runs a provider could take over the logins of its workspace's members.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from accounts.access import is_vouched_for

_ALLOWED = {"account_logout", "account_login", "account_inactive"}


class KeepVouchedSessionsInside:
    """Refuses allauth's pages about one's own login, except for signing out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        if not view.__module__.startswith("allauth.") or (match and match.url_name in _ALLOWED):
            return None
        if not is_vouched_for(request) or not request.user.is_authenticated:
            return None
        return render(request, "sso/own_access.html", status=403)
