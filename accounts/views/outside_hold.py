"""The page after a restore: look at what waits, then release or discard it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.queries.outside_hold import held
from accounts.services.outside_hold import release
from accounts.tasks import nudge


@require_GET
@requires("workspace.own")
def outside_hold(request: WorkspaceRequest) -> HttpResponse:
    return render(request, "settings/outside_hold.html", {"held": held()})


@require_POST
@requires("workspace.own")
def outside_release(request: WorkspaceRequest) -> HttpResponse:
    discard = request.POST.get("act") == "discard"
    release(
        workspace=request.membership.workspace,
        discard=discard,
        acting_user=request.user,
        now=timezone.now(),
    )
    nudge()
    done = gettext("Discarded. New mails and messages go out again.")
    messages.success(request, done if discard else gettext("Released. What waited goes out now."))
    return redirect("accounts:settings")
