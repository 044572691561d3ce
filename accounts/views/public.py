"""The base of pages that a stranger opens from a mail."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers

from accounts.models import AccessLink, Workspace
from accounts.registry import token_purposes
from accounts.services.access_links import find_link
from cs_platform.lib.scoping import workspace_scope
from cs_platform.lib.signing import Credential, parse_credential

PublicView = Callable[..., HttpResponse]
_NOBODYS = Credential(uuid.UUID(int=0), "")


class LinkRequest(HttpRequest):
    """A request by a valid link, inside its workspace."""

    link: AccessLink


def public_page(purpose: str) -> Callable[[PublicView], Callable[..., HttpResponseBase]]:
    """A page behind a token of this purpose, in the contact's language and the workspace's time zone.

    Malformed, expired, revoked, used, foreign and unknown links get the same page and status, so
    that nothing can be learnt from the difference. A GET must not change state: mail scanners click.
    """
    token_purposes.get(purpose)

    def decorate(view: PublicView) -> Callable[..., HttpResponseBase]:
        @functools.wraps(view)
        def guarded(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponseBase:
            response = _open(request, token, purpose, lambda: view(request, **kwargs))
            add_never_cache_headers(response)
            response["Cache-Control"] += ", no-store"
            # No other site gets the address; "no-referrer" would make browsers post forms with `Origin: null`.
            response["Referrer-Policy"] = "same-origin"
            response["X-Robots-Tag"] = "noindex, nofollow"
            return response

        guarded.permission = "link"  # type: ignore[attr-defined]
        return guarded

    return decorate


def _open(request: HttpRequest, token: str, purpose: str, view: Callable[[], HttpResponse]) -> HttpResponse:
    credential = parse_credential(token)
    # A bad link of any sort costs the same look-ups, so that the time tells nothing either: workspace 0 has no rows.
    asked = credential or _NOBODYS
    workspace = Workspace.objects.filter(public_id=asked.workspace).first()
    known = workspace.pk if workspace and credential and not credential.prefix else 0
    with workspace_scope(known):
        link = find_link(credential=asked, purpose=purpose, now=timezone.now())
        if link is None or workspace is None:
            return no_such_link(request)
        request.link = link  # type: ignore[attr-defined]
        language = link.contact.language if link.contact else workspace.language
        with translation.override(language), timezone.override(workspace.zone):
            return view()


def no_such_link(request: HttpRequest) -> HttpResponse:
    """The one answer to every link that does not hold."""
    return render(request, "public/no_such_link.html", status=404)
