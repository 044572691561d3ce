"""Pages of the imports: the list of runs, one run, one uploaded file on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts.imports.problems import FILE_PROBLEMS, FileProblem, row_problem_text
from accounts.models import Import, ImportMapping, ImportReject, ImportUpload, Job, TraitDefinition
from accounts.registry import import_kinds
from cs_platform.lib.ids import read_uuid
from cs_platform.lib.registry import UnknownName

PAGE = 50
SHOWN_REJECTS = 100
# A run that wrote nothing for so long was killed; the next import closes it, see services/imports.py.
SILENCE = timedelta(minutes=10)
# How a run notes what became of a column without a field, see imports/inspecting.py.
_EXTRAS = {"trait": _("trait"), "property": _("property")}
_TYPES = frozenset(TraitDefinition.Kind.values)
_WORK = {
    ImportUpload.State.CHECKING: "accounts.import_check",
    ImportUpload.State.IMPORTING: "accounts.import_run",
}


@dataclass(frozen=True, slots=True)
class RunPage:
    """A page of runs, newest first; `after` is the address part of the next page or ""."""

    rows: list[Import]
    after: str


def run_page(*, after: str = "", size: int = PAGE) -> RunPage:
    """Two queries at most."""
    rows = Import.objects.select_related("created_by").order_by("-pk")
    if after:
        last = Import.objects.filter(public_id=read_uuid(after)).values_list("pk", flat=True).first()
        rows = rows.filter(pk__lt=last) if last else rows
    found = list(rows[: size + 1])
    return RunPage(found[:size], str(found[size - 1].public_id) if len(found) > size else "")


def waiting_uploads() -> list[ImportUpload]:
    """Files that are not finished, newest first."""
    rows = ImportUpload.objects.exclude(state=ImportUpload.State.FINISHED).select_related("created_by")
    return list(rows.defer("samples", "preview", "result").order_by("-pk")[:20])


def kind_label(name: str) -> str:
    """The kind in words, also of a kind whose app is gone."""
    try:
        return str(import_kinds.get(name).label)
    except UnknownName:
        return name


def field_label(kind: str, name: str) -> str:
    """A field in words; its name where the kind or the field is gone."""
    if kind not in import_kinds:
        return name
    spec = import_kinds.get(kind).spec
    return str(spec.field(name).label) if name in spec.names() else name


def columns_of(row: Import) -> list[tuple[str, str]]:
    """Each column of the file and what became of it, in words."""
    return [(column, _became(row.kind, text)) for column, text in row.detail.get("columns", {}).items()]


def _became(kind: str, text: str) -> str:
    """Of "plan + property (text)" or "dropped", as the run noted it."""
    if text == "dropped":
        return gettext("left out")
    words = []
    for part in text.split(" + "):
        extra, __, value_kind = part.partition(" (")
        if extra in _EXTRAS and value_kind:
            type_words = TraitDefinition.Kind(value_kind[:-1]).label if value_kind[:-1] in _TYPES else ""
            words.append(
                f"{gettext(_EXTRAS[extra])} ({type_words})" if type_words else gettext(_EXTRAS[extra])
            )
        else:
            words.append(field_label(kind, part))
    return " + ".join(words)


def is_silent(row: Import, *, now: datetime) -> bool:
    """Marked as running, but nothing was written for so long that its worker must be gone."""
    return row.status == Import.Status.RUNNING and (row.finished_at or row.started_at) < now - SILENCE


def upload_of(row: Import) -> ImportUpload | None:
    """The uploaded file of a run that began in the browser."""
    found: ImportUpload | None = (
        ImportUpload.objects.filter(source_import=row).select_related("error_file").first()
    )
    return found


@dataclass(frozen=True, slots=True)
class RejectRow:
    line: int
    sentence: str


def rejects_of(row: Import, *, limit: int | None = SHOWN_REJECTS) -> list[RejectRow]:
    """The refused rows in the order of the file, with sentences in the reader's language."""
    rows = ImportReject.objects.filter(source_import=row).order_by("line", "pk")[:limit]
    return [
        RejectRow(r.line, row_problem_text(r.reason, field_label(row.kind, r.field), r.detail)) for r in rows
    ]


def sentences(reasons: Sequence[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Grouped reasons of a dry run in words."""
    return [
        {
            "rows": reason["rows"],
            "line": reason["line"],
            "text": row_problem_text(reason["code"], field_label(kind, reason["field"]), reason["params"]),
        }
        for reason in reasons
    ]


def problem_text(problem: dict[str, Any]) -> str:
    """A kept FileProblem in words; "" for none."""
    if not problem or problem["code"] not in FILE_PROBLEMS:
        return ""
    return str(FileProblem(problem["code"], **problem["params"]))


def is_parked(upload: ImportUpload) -> bool:
    """Whether the work on the file failed so often that nobody tries any more."""
    kind = _WORK.get(ImportUpload.State(upload.state))
    jobs = Job.objects.filter(workspace=upload.workspace, kind=kind, object_id=upload.pk)
    return kind is not None and jobs.filter(parked_at__isnull=False).exists()


def earlier_run(upload: ImportUpload) -> Import | None:
    """The newest finished import of exactly this file, so that nobody wonders why nothing changes."""
    if upload.file is None:
        return None
    rows = Import.objects.filter(
        kind=upload.kind, file_digest=upload.file.digest, status=Import.Status.DONE
    ).exclude(pk=upload.source_import_id or 0)
    found: Import | None = rows.order_by("-pk").first()
    return found


def remembered_mapping(upload: ImportUpload) -> ImportMapping | None:
    """How a file with these columns was mapped last time."""
    rows = ImportMapping.objects.filter(kind=upload.kind, header_digest=upload.header_digest)
    found: ImportMapping | None = rows.select_related("used_by").first()
    return found
