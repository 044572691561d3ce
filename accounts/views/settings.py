"""Settings: the overview, the workspace's own values, the design page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.access import WorkspaceRequest, allows, requires
from accounts.forms.settings import WorkspaceForm
from accounts.models import Workspace
from accounts.queries.settings import settings_groups
from accounts.services.members import update_workspace
from accounts.views.design import sample_context


@requires("settings.view")
def settings_index(request: WorkspaceRequest) -> HttpResponse:
    groups = settings_groups(lambda permission: allows(request.membership, permission))
    return render(request, "settings/index.html", {"groups": groups})


@requires("settings.manage")
def workspace_settings(request: WorkspaceRequest) -> HttpResponse:
    # A copy: what is typed wrongly must not show up in the frame of the page.
    workspace = Workspace.objects.get(pk=request.membership.workspace.pk)
    form = WorkspaceForm(request.POST or None, instance=workspace)
    if request.method == "POST" and form.is_valid():
        update_workspace(workspace=workspace, acting_user=request.user, **form.cleaned_data)
        messages.success(request, gettext("Saved. The next nightly run uses the new values."))
        return redirect("accounts:workspace_settings")
    return render(request, "settings/workspace.html", {"form": form}, status=422 if form.errors else 200)


@requires("settings.view")
def design(request: WorkspaceRequest) -> HttpResponse:
    """Every component in every state, for those who build pages."""
    may_manage = allows(request.membership, "settings.manage")
    mail_url = reverse("accounts:branding_preview") if may_manage else "about:blank"
    return render(request, "design.html", sample_context(mail_url=mail_url))
