"""API keys: made, shown once, revoked."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.forms.settings import ApiKeyForm
from accounts.models import ApiKey
from accounts.services.workspaces import create_api_key, revoke_api_key


@requires("settings.manage")
def keys(request: WorkspaceRequest) -> HttpResponse:
    """Keys of the workspace; a POST makes one and shows its secret, this one time, in the answer."""
    form = ApiKeyForm(request.POST or None)
    shown = None
    if request.method == "POST" and form.is_valid():
        key, credential = create_api_key(
            workspace=request.membership.workspace, acting_user=request.user, **form.cleaned_data
        )
        shown = {"key": key, "secret": str(credential)}
        form = ApiKeyForm()
    context = {
        "form": form,
        "shown": shown,
        "keys": ApiKey.objects.select_related("created_by").order_by("revoked_at", "-pk"),
        "base_url": settings.BASE_URL,
    }
    return render(request, "settings/keys.html", context, status=422 if form.errors else 200)


@require_POST
@requires("settings.manage")
def key_revocation(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    key = get_object_or_404(ApiKey, public_id=public_id)
    revoke_api_key(key=key, acting_user=request.user, now=timezone.now())
    if key.scope == ApiKey.Scope.WRITE:
        words = gettext("The key no longer works; events by it are refused within five seconds.")
    else:
        words = gettext("The key no longer works.")
    messages.success(request, words)
    return redirect("accounts:keys")
