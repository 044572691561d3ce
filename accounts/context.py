"""What every signed-in page shows around its content: sections, workspaces, who one is."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from accounts.access import (
    allows,
    chosen_membership,
    is_vouched_for,
    may_make_workspaces,
    memberships_of,
)
from accounts.models import Membership
from accounts.queries.notifications import unread_count
from accounts.registry import NavigationItem, navigation
from cs_platform.lib.scoping import NoScope, workspace_scope


def frame(request: HttpRequest) -> dict[str, Any]:
    """Empty outside a workspace; public pages and sign-in have frames of their own."""
    membership, memberships = _place(request)
    if membership is None:
        return {}
    items = sorted(navigation, key=lambda item: item.order)
    chosen = _section(request.path, items)
    return {
        "membership": membership,
        "workspace": membership.workspace,
        "may_make_workspaces": not is_vouched_for(request) and may_make_workspaces(memberships),
        "workspaces": [_choice(m, membership) for m in memberships],
        "unread": cache(partial(_unread, membership)),
        "nav_items": [
            {"label": item.label, "url": url, "icon": item.icon, "active": item is chosen}
            for item in items
            if allows(membership, item.permission) and (url := _address(item))
        ],
    }


def _place(request: HttpRequest) -> tuple[Membership | None, list[Membership]]:
    """Where the page stands. allauth's pages about one's own access enter no workspace, but keep its frame."""
    entered: Membership | None = getattr(request, "membership", None)
    if entered is not None:
        return entered, request.memberships  # type: ignore[attr-defined]
    match = request.resolver_match
    if not (match and match.func.__module__.startswith("allauth.") and request.user.is_authenticated):
        return None, []
    memberships = memberships_of(request)
    return chosen_membership(request, memberships), memberships


def _unread(membership: Membership) -> int:
    """Counted once per page; allauth's pages and error pages are rendered outside of a scope."""
    try:
        return unread_count(membership)
    except NoScope:
        with workspace_scope(membership.workspace.pk):
            return unread_count(membership)


def _choice(membership: Membership, current: Membership) -> dict[str, Any]:
    workspace = membership.workspace
    return {
        "name": workspace.name,
        "public_id": str(workspace.public_id),
        "active": workspace.pk == current.workspace.pk,
    }


def _section(path: str, items: list[NavigationItem]) -> NavigationItem | None:
    """The section whose address is the longest beginning of the path; home only for itself."""
    found = [
        item
        for item in items
        if (url := _address(item)) and (path == url or (url != "/" and path.startswith(url)))
    ]
    return max(found, key=lambda item: len(_address(item)), default=None)


def _address(item: NavigationItem) -> str:
    """Empty while an app that is not installed owns the page."""
    try:
        return reverse(item.url_name)
    except NoReverseMatch:
        return ""
