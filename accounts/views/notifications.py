"""The bell: what is new, read marks, and where one wants to hear of what."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import WorkspaceRequest, allows, requires
from accounts.models import Notification
from accounts.queries.notifications import PAGE, choices_of, newest, unread_count
from accounts.registry import NotificationKind, notification_kinds
from accounts.services import notifications as service


@require_GET
@requires("home.view")
def notifications(request: WorkspaceRequest) -> HttpResponse:
    before = request.GET.get("before", "")
    rows = newest(
        request.membership,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
        limit=PAGE + 1,
    )
    context = {
        "rows": rows[:PAGE],
        "older": rows[PAGE - 1].id if len(rows) > PAGE else None,
        "unread": unread_count(request.membership),
    }
    return render(request, "accounts/notifications.html", context)


@require_GET
@requires("home.view")
def bell(request: WorkspaceRequest) -> HttpResponse:
    """The number on the bell, asked again every minute."""
    place = request.GET.get("id")
    context = {
        "unread": unread_count(request.membership),
        "bell_id": place if place in ("bell-rail", "bell-top") else "bell",
    }
    return render(request, "components/bell.html", context)


@require_POST
@requires("home.view")
def readings(request: WorkspaceRequest) -> HttpResponse:
    """Mark all as read."""
    service.mark_read(membership=request.membership, now=timezone.now())
    return redirect("accounts:notifications")


@require_POST
@requires("home.view")
def reading(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Mark one as read and open what it is about."""
    row = get_object_or_404(
        Notification.objects.select_related("account"), public_id=public_id, membership=request.membership
    )
    service.mark_read(membership=request.membership, now=timezone.now(), public_id=str(public_id))
    return redirect(notification_kinds.get(row.kind).address(row.context, row.account))


@requires("settings.view")
def notification_settings(request: WorkspaceRequest) -> HttpResponse:
    """Each kind, in the app and in the daily mail."""
    kinds = [kind for kind in notification_kinds if allows(request.membership, kind.permission)]
    if request.method == "POST":
        _choose(request, kinds)
        messages.success(request, gettext("Saved."))
        return redirect("accounts:notification_settings")
    context = {"rows": choices_of(request.membership, kinds)}
    return render(request, "settings/notifications.html", context)


def _choose(request: WorkspaceRequest, kinds: list[NotificationKind]) -> None:
    for kind in kinds:
        service.choose(
            membership=request.membership,
            kind=kind.name,
            in_app=f"app:{kind.name}" in request.POST,
            in_digest=f"digest:{kind.name}" in request.POST,
        )
