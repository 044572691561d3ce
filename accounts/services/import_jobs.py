"""The long work on uploaded files, as jobs: check (a dry run), import, undo. Each survives its worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation

from accounts.imports.mapping import ImportOptions
from accounts.imports.parsing import Refused
from accounts.imports.previewing import preview_file
from accounts.imports.problems import FileProblem, RowProblem
from accounts.models import Import, ImportReject, ImportUpload, Membership, StoredFile, Workspace
from accounts.services.import_errors import store_error_file
from accounts.services.import_undo import UndoRefused, undo_import
from accounts.services.import_uploads import State, problem_json
from accounts.services.imports import (
    MAX_REJECTS_KEPT,
    Durable,
    ImportOutcome,
    PreparedFile,
    prepare_file,
    run_import,
)
from accounts.services.jobs import Lease
from accounts.services.lease_keeper import LeaseKeeper
from accounts.services.notifications import IMPORTED_KIND, notify
from accounts.services.stored_files import opened_copy
from cs_platform.lib.scoping import workspace_scope


@dataclass
class _Refusals:
    """Refused rows of a run: the first ones for the error file, all of them by reason."""

    kept: list[Refused] = field(default_factory=list)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], Refused] = field(default_factory=dict)

    def add(self, refused: Refused) -> None:
        key = (refused.problem.code, refused.problem.field)
        self.reasons[key] += 1
        self.examples.setdefault(key, refused)
        if len(self.kept) < MAX_REJECTS_KEPT:
            self.kept.append(refused)

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {
                "code": code,
                "field": name,
                "rows": rows,
                "line": self.examples[code, name].line,
                "params": self.examples[code, name].problem.params,
            }
            for (code, name), rows in self.reasons.most_common(20)
        ]


class _Work:
    """One claimed job on one upload, with the progress that its page shows."""

    def __init__(self, lease: Lease, state: str) -> None:
        self.lease, self.state = lease, state
        self.done = self.total = 0
        self.refusals = _Refusals()
        with workspace_scope(lease.workspace_id):
            found = ImportUpload.objects.filter(pk=lease.object_id, state=state)
            self.upload = found.select_related("file", "source_import", "created_by").first()
        self.workspace = Workspace.objects.get(pk=lease.workspace_id)

    def beat(self) -> bool:
        """Note how far it is; False when a person has stopped it or mapped the file anew."""
        upload = self._upload
        here = ImportUpload.objects.filter(pk=upload.pk, state=self.state, options=upload.options)
        return bool(here.update(rows_done=self.done, rows_total=self.total))

    def progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self.keeper.check()
        if self.state == State.CHECKING and self.keeper.stop_wanted:
            raise FileProblem("was_canceled")

    @property
    def _upload(self) -> ImportUpload:
        assert self.upload is not None
        return self.upload

    def prepared(self, path: Path) -> PreparedFile:
        options = ImportOptions.from_json(self._upload.options)
        return prepare_file(
            workspace=self.workspace,
            kind=self._upload.kind,
            path=path,
            options=options,
            on_rows=self._read,
        )

    def _read(self, rows: int) -> None:
        """While the file is read for the first time its length is unknown."""
        if self.state == State.CHECKING:
            self.progress(rows, 0)
        self.keeper.check()

    def keep(self) -> LeaseKeeper:
        self.keeper = LeaseKeeper(self.lease, self.beat)
        return self.keeper


def _language(upload: ImportUpload) -> str:
    return upload.created_by.language if upload.created_by else settings.LANGUAGE_CODE


def check_upload(lease: Lease) -> None:
    """Do the whole import in a transaction that is rolled back, and note what it would have done."""
    work = _Work(lease, State.CHECKING)
    if work.upload is None:
        return
    with translation.override(_language(work.upload)), work.keep():
        _check(work, work.upload)


def _check(work: _Work, upload: ImportUpload) -> None:
    file = upload.file
    if file is None:
        _settle(work, State.MAPPING, problem=problem_json(FileProblem("file_expired")))
        return
    with _copy(work, file) as path:
        reasons = work.refusals
        try:
            prepared = work.prepared(path)
            outcome = _dry_run(work, prepared)
            preview = _exact_preview(prepared)
        except FileProblem as problem:
            found: dict[str, Any] = {"problem": problem_json(problem)}
            state, result = State.MAPPING, {}
        else:
            found = {"preview": preview}
            state = State.CHECKED
            result = {**outcome.counts(), "columns": outcome.columns, "warnings": outcome.warnings}
        errors = _error_file(work, file, path, reasons.kept)
        _settle(work, state, **found, result=result | {"reasons": reasons.as_json()}, error_file=errors)


@contextmanager
def _copy(work: _Work, file: StoredFile) -> Iterator[Path]:
    """The file on this machine's disk; the scope is open only while it is fetched."""
    with ExitStack() as stack:
        with workspace_scope(work.lease.workspace_id):
            path = stack.enter_context(opened_copy(file))
        yield path


def _dry_run(work: _Work, prepared: PreparedFile) -> ImportOutcome:
    return run_import(
        workspace=work.workspace,
        prepared=prepared,
        acting_user=None,
        dry_run=True,
        progress=work.progress,
        on_refused=work.refusals.add,
    )


def _exact_preview(prepared: PreparedFile) -> dict[str, Any]:
    return preview_file(
        prepared.source, prepared.kind.spec, prepared.options, prepared.dates, prepared.inspection
    )


def _error_file(work: _Work, file: StoredFile, path: Path, refused: list[Refused]) -> StoredFile | None:
    if not refused:
        return None
    upload = work._upload
    with workspace_scope(work.lease.workspace_id):
        return store_error_file(
            path=path,
            options=ImportOptions.from_json(upload.options),
            refused=refused,
            name=upload.file_name,
            expires_at=file.expires_at,
        )


def _settle(work: _Work, state: str, **values: Any) -> None:
    """The end of a check or import, unless a person has changed their mind meanwhile."""
    upload = work._upload
    with workspace_scope(work.lease.workspace_id):
        work.lease.hold()
        here = ImportUpload.objects.filter(pk=upload.pk, state=work.state, options=upload.options)
        here.update(state=state, rows_done=work.done, rows_total=work.total, **values)


def import_upload(lease: Lease) -> None:
    """Import a checked file; after a kill, go on behind the last whole chunk."""
    work = _Work(lease, State.IMPORTING)
    upload = work.upload
    if upload is None or upload.file is None:
        return
    with translation.override(_language(upload)), work.keep(), _copy(work, upload.file) as path:
        _import(work, upload, path)


def _import(work: _Work, upload: ImportUpload, path: Path) -> None:
    problem: dict[str, Any] = {}
    earlier = upload.source_import
    if earlier is None or _was_killed(earlier):
        durable = Durable(
            fence=work.lease.hold, started=lambda made: _attach(work, upload, made), earlier=earlier
        )
        try:
            run_import(
                workspace=work.workspace,
                prepared=work.prepared(path),
                acting_user=upload.created_by,
                file_name=upload.file_name,
                progress=work.progress,
                durable=durable,
            )
        except FileProblem as error:
            if error.code == "busy":
                raise
            problem = problem_json(error)
    _finish(work, upload, path, problem)


def _was_killed(row: Import) -> bool:
    """Still running for all we know, or noticed to be silent."""
    return row.status == Import.Status.RUNNING or row.detail.get("failed") == "interrupted"


def _attach(work: _Work, upload: ImportUpload, made: Import) -> None:
    here = ImportUpload.objects.filter(pk=upload.pk, state=State.IMPORTING, source_import__isnull=True)
    if not here.update(source_import=made):
        raise FileProblem("was_canceled")


def _finish(work: _Work, upload: ImportUpload, path: Path, problem: dict[str, Any]) -> None:
    with workspace_scope(work.lease.workspace_id):
        work.lease.hold()
        row = ImportUpload.objects.select_for_update(of=("self",)).get(pk=upload.pk)
        if row.source_import_id is None:
            return
        rejects = ImportReject.objects.filter(source_import=row.source_import_id).order_by("line")
        refused = [Refused(r.line, RowProblem(r.reason, r.field, r.detail)) for r in rejects]
        row.error_file = None
        if refused and upload.file:
            row.error_file = store_error_file(
                path=path,
                options=ImportOptions.from_json(row.options),
                refused=refused,
                name=row.file_name,
                expires_at=upload.file.expires_at,
            )
        row.state, row.problem = State.FINISHED, problem
        row.rows_done, row.rows_total = work.done, work.total
        row.save(update_fields=["state", "problem", "error_file", "rows_done", "rows_total"])
        _tell(row)


def _tell(upload: ImportUpload) -> None:
    """Whoever started it may have left the page."""
    member = Membership.objects.filter(user=upload.created_by_id, is_active=True).first()
    done = Import.objects.filter(pk=upload.source_import_id).first()
    if member is None or done is None:
        return
    notify(
        kind=IMPORTED_KIND,
        membership=member,
        cause_key=str(upload.pk),
        context={
            "file": upload.file_name,
            "created": done.rows_created,
            "updated": done.rows_updated,
            "rejected": done.rows_rejected,
            "failed": done.status != Import.Status.DONE,
            "address": reverse("accounts:import_upload", args=[upload.public_id]),
        },
        now=timezone.now(),
    )


def undo_by_job(lease: Lease) -> None:
    """Undo an import that a person asked to be undone: one transaction with the end of the job's work."""
    with LeaseKeeper(lease, lambda: True), workspace_scope(lease.workspace_id):
        row = Import.objects.select_related("undo_requested_by").filter(pk=lease.object_id).first()
        if row is None or row.undo_requested_at is None or row.status == Import.Status.UNDONE:
            return
        try:
            with transaction.atomic():
                undo_import(source_import=row, acting_user=row.undo_requested_by, now=timezone.now())
        except UndoRefused as refused:
            row.refresh_from_db()
            row.detail |= {"undo_refused": refused.code}
            row.undo_requested_at = None
            row.save(update_fields=["detail", "undo_requested_at"])
        lease.hold()
