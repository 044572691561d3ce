"""Who may do what: permissions by role, and the decorators that every page wears.

Fail closed: an unknown permission raises at import, a page without a decorator fails a test.
A stranger gets 404 as for a missing thing, a member with too low a role 403.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, Concatenate, ParamSpec

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext

from accounts.models import IdentityProvider, Membership, MfaPolicy, Role, User
from cs_platform.lib.registry import UnknownName
from cs_platform.lib.scoping import workspace_scope

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

_EVERYONE = frozenset(Role.values)
_WORKERS = frozenset({Role.OWNER, Role.ADMIN, Role.CSM})
_ADMINS = frozenset({Role.OWNER, Role.ADMIN})

_ROLES: dict[str, frozenset[str]] = {
    "home.view": _EVERYONE,
    "accounts.view": _EVERYONE,
    "accounts.work": _WORKERS,
    "accounts.configure": _ADMINS,
    "queue.view": _EVERYONE,
    "queue.work": _WORKERS,
    "health.view": _EVERYONE,
    "health.configure": _ADMINS,
    "reports.view": _EVERYONE,
    "imports.run": _ADMINS,
    "members.manage": _ADMINS,
    "settings.view": _EVERYONE,
    "settings.manage": _ADMINS,
    "workspace.own": frozenset({Role.OWNER}),
}

SESSION_KEY = "workspace"
# The workspace whose OpenID provider vouched for this session: it is valid there and nowhere else.
SSO_KEY = "sso_workspace"
_SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def register_permission(name: str, roles: frozenset[str]) -> None:
    """For apps above: declare a permission before any view uses it."""
    if name in _ROLES:
        raise ValueError(f"permission {name!r} is registered twice")
    if unknown := roles - _EVERYONE:
        raise ValueError(f"unknown roles {sorted(unknown)}")
    _ROLES[name] = roles


def roles_with(permission: str) -> frozenset[str]:
    """Roles that hold the permission; raises UnknownName for a name that nobody declared."""
    try:
        return _ROLES[permission]
    except KeyError:
        raise UnknownName(f"permission {permission!r} is unknown") from None


def allows(membership: Membership, permission: str) -> bool:
    return membership.role in roles_with(permission)


class WorkspaceRequest(HttpRequest):
    """A request inside a workspace, as `requires` hands it to the view."""

    user: User
    membership: Membership
    memberships: list[Membership]
    htmx: Any


def requires(
    permission: str,
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Only members of the chosen workspace whose role holds `permission`.

    Opens the workspace's scope around the view, so pages must be rendered inside it
    (`render`, never TemplateResponse). A form that carries another workspace's id (a second
    tab) gets 409 and nothing is written.
    """
    roles_with(permission)

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            response = _enter(request, permission, lambda: view(request, *args, **kwargs))
            add_never_cache_headers(response)
            response.headers["Cache-Control"] += (
                ", no-store" if "no-store" not in response.headers["Cache-Control"] else ""
            )
            return response

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Declares a page that needs no login; the access test asks every view for a declaration."""
    view.permission = "public"  # type: ignore[attr-defined]
    return view


def signed_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Any user who is signed in, with or without a workspace (the switcher, one's own settings)."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    guarded.permission = "signed_in"  # type: ignore[attr-defined]
    return guarded


def may_make_workspaces(memberships: Iterable[Membership]) -> bool:
    """Whether the installation lets the person with these memberships make another workspace (NEW_WORKSPACES)."""
    if settings.NEW_WORKSPACES == "owners":
        return any(membership.role == Role.OWNER for membership in memberships)
    return bool(settings.NEW_WORKSPACES == "anyone")


def _enter(request: HttpRequest, permission: str, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    memberships = memberships_of(request)
    membership = chosen_membership(request, memberships)
    if membership is None:
        return render(request, "accounts/no_workspace.html", status=403)
    with workspace_scope(membership.workspace.pk), timezone.override(membership.workspace.zone):
        if (led := _led_elsewhere(request, membership)) is not None:
            return led
        request.membership = membership  # type: ignore[attr-defined]
        request.memberships = memberships  # type: ignore[attr-defined]
        if _is_other_tab(request, membership):
            return render(request, "409.html", status=409)
        if not allows(membership, permission):
            raise PermissionDenied
        return view()


def memberships_of(request: HttpRequest) -> list[Membership]:
    """Active memberships that this session may use: all, or the one whose provider vouched for it."""
    only = request.session.get(SSO_KEY)
    found: list[Membership] = request.user.memberships()  # type: ignore[union-attr]
    return [m for m in found if only is None or m.workspace_id == only]


def is_vouched_for(request: HttpRequest) -> bool:
    """Whether a workspace's own provider vouched for this session: it may not touch the login itself."""
    session = getattr(request, "session", None)  # templates are tested without one
    return session is not None and SSO_KEY in session


def needs_second_factor(policy: str, role: str) -> bool:
    """Whether a workspace's policy asks a member with this role for a second factor."""
    return policy == MfaPolicy.EVERYONE or (policy == MfaPolicy.ADMINS and role in _ADMINS)


def has_second_factor(user: User) -> bool:
    """Recovery codes alone are none: they are what is left when the factor is lost."""
    return bool(is_mfa_enabled(user, types=_SECOND_FACTORS))


def _led_elsewhere(request: HttpRequest, membership: Membership) -> HttpResponse | None:
    """Out, when the provider that vouched was switched off; to the second factor, when the policy asks for one."""
    if SSO_KEY in request.session:
        if IdentityProvider.objects.filter(is_enabled=True).exists():
            return None  # the provider answers for how its people prove who they are
        logout(request)
        return _go(request, reverse("account_login"))
    if not needs_second_factor(membership.workspace.mfa_policy, membership.role):
        return None
    if has_second_factor(request.user):  # type: ignore[arg-type]
        return None
    messages.warning(
        request,
        gettext("%(workspace)s asks you for a second factor. Set one up here, then go on.")
        % {"workspace": membership.workspace.name},
    )
    return _go(request, reverse("mfa_index"))


def _go(request: HttpRequest, url: str) -> HttpResponse:
    """A redirect of the whole page, also when only a part of it was asked for."""
    if not request.headers.get("HX-Request"):
        return redirect(url)
    response = HttpResponse()
    response["HX-Redirect"] = url
    return response


def chosen_membership(request: HttpRequest, memberships: list[Membership]) -> Membership | None:
    """The membership of the session's workspace, else the first one."""
    chosen = request.session.get(SESSION_KEY)
    for membership in memberships:
        if membership.workspace_id == chosen:
            return membership
    return memberships[0] if memberships else None


def _is_other_tab(request: HttpRequest, membership: Membership) -> bool:
    carried = request.POST.get("workspace") if request.method == "POST" else None
    carried = carried or request.headers.get("X-Workspace")
    return carried is not None and carried != str(membership.workspace.public_id)
