"""The checklist of the first days."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, allows, requires
from accounts.queries.welcome import checklist, is_dismissed
from accounts.services import welcome as services


@requires("settings.view")
def welcome(request: WorkspaceRequest) -> HttpResponse:
    """What there is to do until the first queue; every step says what is true now."""
    member = request.membership
    found = checklist(member.workspace, now=timezone.now(), may=partial(allows, member))
    context = {
        "list": found,
        "is_dismissed": is_dismissed(),
        "may_dismiss": allows(member, "workspace.own"),
    }
    return render(request, "settings/welcome.html", context)


@require_POST
@requires("workspace.own")
def welcome_dismissal(request: WorkspaceRequest) -> HttpResponse:
    """An owner puts the checklist away, or back onto the home page."""
    if request.POST.get("back"):
        services.bring_back(acting_user=request.user)
    else:
        services.dismiss(acting_user=request.user, now=timezone.now())
        messages.success(request, gettext("The checklist is put away. Settings → First steps has it still."))
    return redirect("accounts:welcome" if request.POST.get("back") else "/")
