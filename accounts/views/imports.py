"""Runs of imports: the list, one run, its refused rows, its undo; sample files."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.imports.sample_files import sample_rows
from accounts.models import Import
from accounts.queries import imports as queries
from accounts.registry import import_kinds
from accounts.services.import_undo import UndoRefused, preview_undo, request_undo
from accounts.tasks import nudge
from accounts.views.import_words import changed_rows, csv_headers, run_cells, warning_words
from cs_platform.lib.csv_text import csv_text
from cs_platform.lib.registry import UnknownName


@requires("imports.run")
def import_list(request: WorkspaceRequest) -> HttpResponse:
    """All runs, of the browser and of the command line, newest first; files that are not imported yet above."""
    if request.GET.get("format") == "csv":
        rows = queries.run_page(size=1_000).rows
        return _csv("imports.csv", csv_text(csv_headers(), [run_cells(row) for row in rows]))
    page = queries.run_page(after=request.GET.get("after", ""))
    now = timezone.now()
    context = {
        "runs": [
            {"run": r, "label": queries.kind_label(r.kind), "silent": queries.is_silent(r, now=now)}
            for r in page.rows
        ],
        "waiting": [{"upload": u, "label": queries.kind_label(u.kind)} for u in queries.waiting_uploads()],
        "next_url": f"{reverse('accounts:imports')}?after={page.after}" if page.after else "",
        "is_first": not request.GET.get("after"),
    }
    return render(request, "settings/imports/list.html", context)


@requires("imports.run")
def import_run(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """One run: what became of its rows and columns."""
    row = _run(public_id)
    upload = queries.upload_of(row)
    context = {
        "run": row,
        "label": queries.kind_label(row.kind),
        "upload": upload,
        "silent": queries.is_silent(row, now=timezone.now()),
        "rejects": queries.rejects_of(row),
        "columns": queries.columns_of(row),
        "warnings": [warning_words(w) for w in row.detail.get("warnings", ())],
        "failed": _failure(row),
        "undone": changed_rows(row.detail.get("undo", {})),
        "undo_refused": row.detail.get("undo_refused"),
        "may_undo": row.status not in (Import.Status.UNDONE, Import.Status.RUNNING),
        "poll_url": reverse("accounts:import_state", args=[row.public_id]) if row.undo_requested_at else "",
    }
    return render(request, "settings/imports/run.html", context)


@requires("imports.run")
def import_state(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """While an import is being undone: the same block, and in the end the whole page anew."""
    row = _run(public_id)
    if row.undo_requested_at and row.status != Import.Status.UNDONE:
        return render(request, "settings/imports/parts/undoing.html", {"run": row, "poll_url": request.path})
    response = HttpResponse(status=204)
    response["HX-Redirect"] = reverse("accounts:import_run", args=[row.public_id])
    return response


def _failure(row: Import) -> str:
    code = row.detail.get("failed")
    if code is None:
        return ""
    if code == "interrupted":
        return gettext("Its worker ended. What was written is kept; run the file again, or undo it.")
    return queries.problem_text({"code": code, "params": row.detail.get("params", {})}) or str(code)


@requires("imports.run")
def import_undo(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """What undoing would do; a POST has it done, in one transaction, by a worker."""
    row = _run(public_id)
    here = redirect("accounts:import_run", row.public_id)
    if request.method == "POST":
        try:
            request_undo(source_import=row, acting_user=request.user, now=timezone.now())
        except UndoRefused as refused:
            messages.error(request, str(refused))
        else:
            nudge()
        return here
    context = {"run": row, "label": queries.kind_label(row.kind)}
    try:
        report = preview_undo(source_import=row, now=timezone.now())
    except UndoRefused as refused:
        blockers = [{"run": b, "label": queries.kind_label(b.kind)} for b in refused.blockers]
        context |= {"refused": str(refused), "blockers": blockers}
    else:
        context |= {"report": changed_rows(report.as_json()), "is_exact": report.is_exact}
    return render(request, "settings/imports/undo.html", context)


@requires("imports.run")
def import_errors(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Refused rows of any run with line and reason; a run of the browser also has the rows themselves."""
    row = _run(public_id)
    upload = queries.upload_of(row)
    if upload is not None and upload.error_file_id is not None:
        return redirect("accounts:import_upload_errors", upload.public_id)
    rejects = queries.rejects_of(row, limit=None)
    headers = [gettext("Line in the file"), gettext("Why it was refused")]
    return _csv("refused.csv", csv_text(headers, [(r.line, r.sentence) for r in rejects]))


@requires("imports.run")
def import_sample(request: WorkspaceRequest, kind: str) -> HttpResponse:
    """A small file that can be imported as it is."""
    try:
        spec = import_kinds.get(kind).spec
    except UnknownName:
        raise Http404 from None
    headers, rows = sample_rows(spec)
    return _csv(f"{kind}.csv", csv_text(headers, rows))


@require_POST
@requires("imports.run")
def import_close(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Say that a silent run has ended, so that it can be undone."""
    from accounts.services.imports import close_dead_runs

    close_dead_runs(now=timezone.now())
    return redirect("accounts:import_run", _run(public_id).public_id)


def _run(public_id: UUID) -> Import:
    return get_object_or_404(Import.objects.select_related("created_by"), public_id=public_id)


def _csv(name: str, text: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
