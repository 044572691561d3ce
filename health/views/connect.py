"""Connect a product: a key, lines to copy, and what arrives."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.access import WorkspaceRequest, requires
from accounts.models import ApiKey
from accounts.services.workspaces import create_api_key
from health.queries.connecting import arrivals

KEY_PLACE = "YOUR_WRITE_KEY"


@requires("settings.manage")
def connect(request: WorkspaceRequest) -> HttpResponse:
    """A POST makes a write key and shows it this one time, inside the lines to copy."""
    secret = ""
    if request.method == "POST":
        _key, credential = create_api_key(
            workspace=request.membership.workspace,
            scope=ApiKey.Scope.WRITE,
            name=gettext("My product"),
            acting_user=request.user,
        )
        secret = str(credential)
    context = {
        "secret": secret,
        "key": secret or KEY_PLACE,
        "base_url": settings.BASE_URL,
        "keys": ApiKey.objects.filter(scope=ApiKey.Scope.WRITE, revoked_at__isnull=True).order_by("-pk")[:5],
        **_live(request),
    }
    return render(request, "settings/connect.html", context)


@requires("settings.manage")
def connect_live(request: WorkspaceRequest) -> HttpResponse:
    """The live sign alone, asked for every two seconds while the page is looked at."""
    return render(request, "settings/parts/arrivals.html", _live(request))


def _live(request: WorkspaceRequest) -> dict[str, Any]:
    now = timezone.now()
    return {"live": arrivals(now=now), "live_url": reverse("health:connect_live"), "now": now}
