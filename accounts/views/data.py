"""Settings of the workspace's data: retention, export, deletion; and one person's copy and erasure."""

from __future__ import annotations

from tempfile import TemporaryFile
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import WorkspaceRequest, allows, requires
from accounts.forms.data import RetentionForm, TypedAgainForm
from accounts.models import Contact, PersonRequest, StoredFile, WorkspaceExport
from accounts.registry import retention_kinds
from accounts.services import person_erasure, person_export, workspace_deletion, workspace_export
from accounts.services.retention import choose_retention, kept_days
from accounts.services.stored_files import pieces
from accounts.tasks import nudge


@requires("settings.manage")
def data(request: WorkspaceRequest) -> HttpResponse:
    """How long what is kept; exports; deletion of the workspace."""
    kinds = list(retention_kinds)
    form = RetentionForm(request.POST or None, kinds=kinds, days=kept_days())
    if request.method == "POST" and form.is_valid():
        for kind in kinds:
            if form.cleaned_data[kind.name] != kept_days()[kind.name]:
                choose_retention(kind=kind.name, days=form.cleaned_data[kind.name], acting_user=request.user)
        messages.success(request, gettext("Saved. It holds from the next daily tidying on."))
        return redirect("accounts:data")
    context = {
        "form": form,
        "exports": WorkspaceExport.objects.select_related("file").order_by("-pk")[:5],
        "requests": PersonRequest.objects.select_related("contact", "file").order_by("-pk")[:20],
        "is_owner": allows(request.membership, "workspace.own"),
        "grace_days": workspace_deletion.GRACE.days,
    }
    return render(request, "settings/data.html", context, status=422 if form.errors else 200)


@require_POST
@requires("workspace.own")
def exports(request: WorkspaceRequest) -> HttpResponse:
    """Ask for a copy of everything."""
    workspace_export.request_export(acting_user=request.user, now=timezone.now())
    nudge()
    messages.success(request, gettext("The export is being made. You can leave this page."))
    return redirect("accounts:data")


@require_GET
@requires("workspace.own")
def export_progress(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    row = get_object_or_404(WorkspaceExport.objects.select_related("file"), public_id=public_id)
    return render(request, "settings/parts/export_row.html", {"export": row, "is_owner": True})


@require_GET
@requires("workspace.own")
def export_file(request: WorkspaceRequest, public_id: UUID) -> HttpResponseBase:
    row = get_object_or_404(WorkspaceExport.objects.select_related("file"), public_id=public_id)
    return _download(row.file, f"{request.membership.workspace.slug}-export.zip")


@requires("workspace.own")
def workspace_deletion_page(request: WorkspaceRequest) -> HttpResponse:
    """Ask for the deletion by typing the workspace's name again."""
    workspace = request.membership.workspace
    form = TypedAgainForm(
        request.POST or None, expected=workspace.slug, label=_("Type the short name of the workspace")
    )
    if request.method == "POST" and form.is_valid():
        workspace_deletion.request_deletion(workspace=workspace, acting_user=request.user, now=timezone.now())
        messages.success(request, gettext("The workspace will be deleted. Until then you can take it back."))
        return redirect("accounts:data")
    context = {"form": form, "grace_days": workspace_deletion.GRACE.days}
    return render(request, "settings/workspace_deletion.html", context, status=422 if form.errors else 200)


@require_POST
@requires("workspace.own")
def workspace_deletion_withdrawal(request: WorkspaceRequest) -> HttpResponse:
    workspace_deletion.withdraw_deletion(workspace=request.membership.workspace, acting_user=request.user)
    messages.success(request, gettext("The workspace stays."))
    return redirect("accounts:data")


@require_GET
@requires("settings.manage")
def person_data(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """What a person may ask for: a copy, the erasure."""
    contact = get_object_or_404(Contact.objects.select_related("account"), public_id=public_id)
    return _person_page(request, contact, _erasure_form(request, contact))


@require_POST
@requires("settings.manage")
def person_copies(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    contact = get_object_or_404(Contact, public_id=public_id)
    person_export.request_person_export(contact=contact, acting_user=request.user, now=timezone.now())
    nudge()
    messages.success(request, gettext("The copy is being made; it appears below within minutes."))
    return redirect("accounts:person_data", public_id=public_id)


@require_POST
@requires("settings.manage")
def person_erasures(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    contact = get_object_or_404(Contact.objects.select_related("account"), public_id=public_id)
    form = _erasure_form(request, contact)
    if not form.is_valid():
        return _person_page(request, contact, form, status=422)
    person_erasure.request_erasure(contact=contact, acting_user=request.user, now=timezone.now())
    nudge()
    messages.success(request, gettext("The person is being erased; this takes a few minutes at most."))
    return redirect("accounts:data")


@require_GET
@requires("settings.manage")
def person_file(request: WorkspaceRequest, public_id: UUID) -> HttpResponseBase:
    row = get_object_or_404(PersonRequest.objects.select_related("file"), public_id=public_id)
    return _download(row.file, "person.json")


def _erasure_form(request: WorkspaceRequest, contact: Contact) -> TypedAgainForm:
    expected = contact.email or contact.external_id
    return TypedAgainForm(
        request.POST or None, expected=expected, label=gettext("Type “%(word)s” again") % {"word": expected}
    )


def _person_page(
    request: WorkspaceRequest, contact: Contact, form: TypedAgainForm, status: int = 200
) -> HttpResponse:
    rows = PersonRequest.objects.filter(contact=contact).select_related("file").order_by("-pk")[:10]
    context = {
        "contact": contact,
        "form": form,
        "requests": rows,
        "is_erased": contact.external_id.startswith("erased-"),
    }
    return render(request, "accounts/person_data.html", context, status=status)


def _download(file: StoredFile | None, name: str) -> HttpResponseBase:
    """A copy on disk first: the answer is streamed when the scope is closed."""
    if file is None or (file.expires_at is not None and file.expires_at <= timezone.now()):
        raise Http404
    copy = TemporaryFile()  # noqa: SIM115 - the response closes it
    for piece in pieces(file):
        copy.write(piece)
    copy.seek(0)
    return FileResponse(copy, as_attachment=True, filename=name, content_type=file.content_type)
