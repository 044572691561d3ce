"""What a person does with an uploaded file: keep it, map it, have it checked, import it, stop it, throw it away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from django.db import transaction

from accounts.imports.dates import DateReader
from accounts.imports.encodings import guess_encoding
from accounts.imports.mapping import ImportOptions
from accounts.imports.previewing import column_samples, preview_file
from accounts.imports.problems import FileProblem
from accounts.imports.reading import SourceFile
from accounts.models import Import, ImportMapping, ImportUpload, Job, StoredFile, User, Workspace
from accounts.registry import import_kinds
from accounts.services.audit import audit
from accounts.services.stored_files import opened_copy, store_file

CHECK_JOB = "accounts.import_check"
RUN_JOB = "accounts.import_run"
KEPT = timedelta(days=14)
State = ImportUpload.State


@dataclass(frozen=True)
class Seen:
    """What a first look at a file found."""

    columns: list[str]
    samples: dict[str, list[str]]
    delimiter: str
    is_json: bool


def look_at(path: Path, *, encoding: str, delimiter: str) -> Seen:
    """Columns and first values. Raises FileProblem."""
    source = SourceFile(path, encoding=encoding, delimiter=delimiter)
    columns, samples = column_samples(source)
    if not columns or not any(True for _ in source.rows()):
        raise FileProblem("no_rows")
    return Seen(columns, samples, source.delimiter, source.is_json)


def keep_upload(
    *,
    kind: str,
    path: Path,
    stream: IO[bytes],
    name: str,
    content_type: str,
    acting_user: User,
    now: datetime,
) -> ImportUpload:
    """Keep a file that can be read, with its columns and the mapping used last for such a file.

    `path` is the same file on disk. Raises FileProblem; then nothing is kept.
    """
    import_kinds.get(kind)
    encoding = guess_encoding(path)
    seen = look_at(path, encoding=encoding, delimiter="")
    header = header_digest(seen.columns)
    known = ImportMapping.objects.filter(kind=kind, header_digest=header).first()
    options = known.options if known else {}
    file = store_file(stream=stream, name=name, content_type=content_type, expires_at=now + KEPT)
    upload = ImportUpload.objects.create(
        kind=kind,
        file=file,
        file_name=name[:300],
        header_digest=header,
        columns=seen.columns,
        samples=seen.samples,
        options=options | {"encoding": encoding, "delimiter": seen.delimiter},
        created_by=acting_user,
        created_at=now,
    )
    audit("accounts.import.uploaded", acting_user=acting_user, target=upload, kind=kind, bytes=file.size)
    return upload


def header_digest(columns: Sequence[str]) -> str:
    """The same columns in the same order have the same fingerprint."""
    return hashlib.sha256(json.dumps(list(columns), ensure_ascii=False).encode()).hexdigest()


def read_anew(*, upload: ImportUpload, encoding: str, delimiter: str) -> ImportUpload:
    """Read the kept file with another encoding or separator. Raises FileProblem; then all stays."""
    with opened_copy(_file(upload)) as path:
        seen = look_at(path, encoding=encoding, delimiter=delimiter)
    upload.columns, upload.samples = seen.columns, seen.samples
    upload.header_digest = header_digest(seen.columns)
    upload.options = {"encoding": encoding, "delimiter": seen.delimiter}
    upload.problem, upload.result, upload.preview = {}, {}, {}
    upload.save(
        update_fields=["columns", "samples", "header_digest", "options", "problem", "result", "preview"]
    )
    return upload


@transaction.atomic
def start_check(
    *, upload: ImportUpload, options: ImportOptions, workspace: Workspace, acting_user: User, now: datetime
) -> ImportUpload:
    """Settle the mapping, show its first rows, remember it, and have the whole file checked.

    Raises FileProblem where the mapping cannot be; does nothing to a file that is being imported.
    """
    row = _locked(upload)
    if row.state in (State.IMPORTING, State.FINISHED):
        return row
    with opened_copy(_file(row)) as path:
        source = SourceFile(path, encoding=options.encoding, delimiter=options.delimiter)
        spec = import_kinds.get(row.kind).spec
        row.preview = preview_file(source, spec, options, DateReader(options.date_format, workspace.zone))
    row.options, row.state = options.as_json(), State.CHECKING
    row.problem, row.result, row.rows_done, row.rows_total = {}, {}, 0, 0
    row.error_file = None
    row.save()
    ImportMapping.objects.update_or_create(
        kind=row.kind,
        header_digest=row.header_digest,
        defaults={"options": row.options, "used_by": acting_user, "used_at": now},
    )
    Job.objects.put(CHECK_JOB, row.pk)
    return row


@transaction.atomic
def start_import(*, upload: ImportUpload, acting_user: User) -> bool:
    """Import a checked file. Once: a second click finds it begun and returns False."""
    row = _locked(upload)
    if row.state != State.CHECKED or row.file is None:
        return False
    row.state, row.rows_done = State.IMPORTING, 0
    row.created_by = acting_user
    row.save(update_fields=["state", "rows_done", "created_by"])
    Job.objects.put(RUN_JOB, row.pk)
    audit("accounts.import.requested", acting_user=acting_user, target=row, kind=row.kind)
    return True


@transaction.atomic
def cancel(*, upload: ImportUpload, acting_user: User) -> ImportUpload:
    """Stop a check, or an import behind the chunk it is writing; what is written stays and can be undone."""
    row = _locked(upload)
    if row.state == State.CHECKING:
        row.state = State.MAPPING
    elif row.state == State.IMPORTING and row.source_import_id is None:
        row.state = State.CHECKED
    elif row.state == State.IMPORTING:
        running = Import.objects.filter(pk=row.source_import_id, status=Import.Status.RUNNING)
        running.update(status=Import.Status.CANCELED)
        row.state = State.FINISHED
    else:
        return row
    row.save(update_fields=["state"])
    audit("accounts.import.canceled", acting_user=acting_user, target=row, kind=row.kind)
    return row


@transaction.atomic
def discard(*, upload: ImportUpload, acting_user: User) -> bool:
    """Throw away a file that was not imported. False where it is too late for that."""
    row = _locked(upload)
    if row.state in (State.IMPORTING, State.FINISHED):
        return False
    file = row.file
    audit("accounts.import.discarded", acting_user=acting_user, target=row, kind=row.kind)
    row.delete()
    if file:
        file.delete()
    return True


@transaction.atomic
def try_again(*, upload: ImportUpload) -> None:
    """Have parked work tried once more, where its worker failed too often."""
    row = _locked(upload)
    if row.state in (State.CHECKING, State.IMPORTING):
        Job.objects.put(CHECK_JOB if row.state == State.CHECKING else RUN_JOB, row.pk)


def forget_uploads(before: datetime, limit: int) -> int:
    """Old files that were never imported go; of imported ones the values that were shown for mapping."""
    old = ImportUpload.objects.filter(created_at__lt=before)
    idle = old.filter(state__in=(State.MAPPING, State.CHECKING, State.CHECKED)).values_list("pk", flat=True)
    removed: int = ImportUpload.objects.filter(pk__in=list(idle[:limit])).delete()[0]
    full = old.filter(state=State.FINISHED).exclude(samples={}, preview={}).values_list("pk", flat=True)
    emptied = ImportUpload.objects.filter(pk__in=list(full[:limit])).update(samples={}, preview={}, result={})
    return removed + emptied


def _locked(upload: ImportUpload) -> ImportUpload:
    found: ImportUpload = ImportUpload.objects.select_for_update().get(pk=upload.pk)
    return found


def _file(upload: ImportUpload) -> StoredFile:
    if upload.file is None:
        raise FileProblem("file_expired")
    return upload.file


def problem_json(problem: FileProblem) -> dict[str, Any]:
    """A problem as it is kept: the sentence is made when shown, in the reader's language."""
    return {"code": problem.code, "params": {name: str(value) for name, value in problem.params.items()}}
