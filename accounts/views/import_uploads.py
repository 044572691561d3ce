"""An uploaded file on its way: file, columns, check, import."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.forms.imports import ColumnsForm, ReadingForm, UploadForm, kinds_in_order
from accounts.imports.guessing import guess_columns
from accounts.imports.problems import FileProblem
from accounts.models import ImportUpload
from accounts.queries import imports as queries
from accounts.registry import import_kinds
from accounts.services import import_uploads as services
from accounts.services.stored_files import pieces
from accounts.tasks import nudge
from accounts.views.import_words import warning_words

STEPS = [_("File"), _("Columns"), _("Check"), _("Import")]
State = ImportUpload.State


@requires("imports.run")
def upload_new(request: WorkspaceRequest) -> HttpResponse:
    """Choose what comes in and the file."""
    posted = request.method == "POST"
    form = UploadForm(
        request.POST if posted else None,
        request.FILES if posted else None,
        was_too_large=getattr(request, "upload_refused", False),
        initial={"kind": request.GET.get("kind", "accounts")},
    )
    if posted and form.is_valid():
        upload = _keep(request, form)
        if upload is not None:
            return redirect("accounts:import_columns", upload.public_id)
    chosen = form["kind"].value()
    kinds = [{"name": k.name, "label": k.label, "fields": k.spec.fields} for k in kinds_in_order()]
    context = {"form": form, "kinds": kinds, "chosen": chosen, "steps": STEPS}
    return render(request, "settings/imports/new.html", context, status=422 if form.errors else 200)


def _keep(request: WorkspaceRequest, form: UploadForm) -> ImportUpload | None:
    file: TemporaryUploadedFile = form.cleaned_data["file"]
    try:
        return services.keep_upload(
            kind=form.cleaned_data["kind"],
            path=Path(file.temporary_file_path()),
            stream=file,
            name=str(file.name),
            content_type=file.content_type or "",
            acting_user=request.user,
            now=timezone.now(),
        )
    except FileProblem as problem:
        form.add_error("file", str(problem))
        return None


@requires("imports.run")
def columns(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Which column is what; a POST has the whole file checked."""
    upload = _upload(public_id)
    if upload.state in (State.IMPORTING, State.FINISHED):
        return redirect("accounts:import_upload", upload.public_id)
    spec = import_kinds.get(upload.kind).spec
    form = ColumnsForm(
        request.POST or None,
        upload=upload,
        guesses=guess_columns(spec, upload.columns, upload.samples),
        zone=request.membership.workspace.zone,
    )
    if request.method == "POST" and form.is_valid() and _check(request, upload, form):
        return redirect("accounts:import_upload", upload.public_id)
    context = _columns_context(upload, form)
    return render(request, "settings/imports/columns.html", context, status=422 if form.errors else 200)


def _check(request: WorkspaceRequest, upload: ImportUpload, form: ColumnsForm) -> bool:
    try:
        services.start_check(
            upload=upload,
            options=form.options(),
            workspace=request.membership.workspace,
            acting_user=request.user,
            now=timezone.now(),
        )
    except FileProblem as problem:
        form.add_error(None, str(problem))
        return False
    nudge()
    return True


def _columns_context(upload: ImportUpload, form: ColumnsForm) -> dict[str, Any]:
    reading = ReadingForm(initial=upload.options)
    return {
        "upload": upload,
        "label": queries.kind_label(upload.kind),
        "form": form,
        "rows": form.rows(),
        "reading": reading,
        "steps": STEPS,
        "is_trait": form.kind.spec.extras == "trait",
        "remembered": queries.remembered_mapping(upload),
        "earlier": queries.earlier_run(upload),
        "problem": queries.problem_text(upload.problem),
        "reasons": queries.sentences(upload.result.get("reasons", ()), upload.kind),
        "is_one_column": len(upload.columns) == 1,
    }


@require_POST
@requires("imports.run")
def reading(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Read the file with another encoding or separator."""
    upload = _upload(public_id)
    form = ReadingForm(request.POST)
    if form.is_valid() and upload.state not in (State.IMPORTING, State.FINISHED):
        try:
            services.read_anew(upload=upload, **form.cleaned_data)
        except FileProblem as problem:
            messages.error(request, str(problem))
    return redirect("accounts:import_columns", upload.public_id)


@requires("imports.run")
def upload_page(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """The check with its first rows and counts, then the import with its progress."""
    upload = _upload(public_id)
    if upload.state == State.MAPPING:
        return redirect("accounts:import_columns", upload.public_id)
    if upload.state == State.FINISHED and upload.source_import is not None:
        return redirect("accounts:import_run", upload.source_import.public_id)
    return render(request, "settings/imports/upload.html", _upload_context(upload))


@requires("imports.run")
def upload_progress(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """How far the check or import is; when it is over, the page is loaded anew."""
    upload = _upload(public_id)
    if upload.state in (State.CHECKING, State.IMPORTING):
        return render(request, "settings/imports/parts/progress.html", _upload_context(upload))
    response = HttpResponse(status=204)
    response["HX-Redirect"] = reverse("accounts:import_upload", args=[upload.public_id])
    return response


def _upload_context(upload: ImportUpload) -> dict[str, Any]:
    result = upload.result
    return {
        "upload": upload,
        "label": queries.kind_label(upload.kind),
        "steps": STEPS,
        "step": 4 if upload.state == State.IMPORTING else 3,
        "preview": _preview(upload),
        "result": result,
        "accepted": result.get("rows_read", 0) - result.get("rows_rejected", 0),
        "changes": result.get("rows_created", 0) + result.get("rows_updated", 0),
        "reasons": queries.sentences(result.get("reasons", ()), upload.kind),
        "warnings": [warning_words(w) for w in result.get("warnings", ())],
        "problem": queries.problem_text(upload.problem),
        "parked": queries.is_parked(upload),
        "is_working": upload.state in (State.CHECKING, State.IMPORTING),
        "poll_url": reverse("accounts:import_progress", args=[upload.public_id]),
    }


def _preview(upload: ImportUpload) -> dict[str, Any]:
    found = dict(upload.preview)
    fields = found.get("fields", 0)
    found["columns"] = [
        {"name": name, "label": queries.field_label(upload.kind, name) if number < fields else name}
        for number, name in enumerate(found.get("columns", ()))
    ]
    found["rows"] = [
        {
            "line": row["line"],
            "cells": row["cells"],
            "problem": queries.sentences([{**row["problem"], "rows": 1, "line": row["line"]}], upload.kind)[
                0
            ]["text"]
            if row["problem"]
            else "",
        }
        for row in found.get("rows", ())
    ]
    return found


@require_POST
@requires("imports.run")
def upload_import(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    upload = _upload(public_id)
    if services.start_import(upload=upload, acting_user=request.user):
        nudge()
    return redirect("accounts:import_upload", upload.public_id)


@require_POST
@requires("imports.run")
def upload_cancel(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    upload = services.cancel(upload=_upload(public_id), acting_user=request.user)
    if upload.source_import_id is not None:
        messages.success(request, gettext("Stopped. What was written is kept; you can undo it."))
    else:
        messages.success(request, gettext("Stopped. Nothing was imported."))
    return redirect("accounts:import_upload", upload.public_id)


@require_POST
@requires("imports.run")
def upload_retry(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    upload = _upload(public_id)
    services.try_again(upload=upload)
    nudge()
    return redirect("accounts:import_upload", upload.public_id)


@require_POST
@requires("imports.run")
def upload_discard(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    upload = _upload(public_id)
    if services.discard(upload=upload, acting_user=request.user):
        messages.success(request, gettext("The file is gone. Nothing was imported."))
    return redirect("accounts:imports")


@requires("imports.run")
def upload_errors(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """The refused rows themselves, with line and reason beside them."""
    file = _upload(public_id).error_file
    if file is None:
        raise Http404
    # Whole: a stream would read behind the end of the workspace's scope. Refused rows are at most 10,000.
    response = HttpResponse(b"".join(pieces(file)), content_type=file.content_type)
    response["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    return response


def _upload(public_id: UUID) -> ImportUpload:
    rows = ImportUpload.objects.select_related("file", "error_file", "source_import", "created_by")
    return get_object_or_404(rows, public_id=public_id)
