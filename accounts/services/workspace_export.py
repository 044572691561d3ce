"""Everything the workspace owns, as one JSON Lines file per table with a description of each column.

Postgres writes the JSON itself, so that millions of events take minutes. Secrets and digests of
credentials are left out; people of the team are named by their mail address in `members.jsonl`.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone
from psycopg import sql

from accounts.models import Job, Membership, User, Workspace, WorkspaceExport
from accounts.privacy import DataClass, TableData, personal_data
from accounts.services.audit import audit
from accounts.services.heartbeat import heartbeat
from accounts.services.jobs import Lease
from accounts.services.stored_files import store_file
from cs_platform.lib.scoping import current_workspace_id, workspace_scope

EXPORT_JOB = "accounts.export_workspace"
KEPT = timedelta(days=7)
# Work in progress, worthless elsewhere.
_LEFT_OUT = {
    "accounts.storedfilechunk",
    "accounts.workspacesecret",
    "accounts.workspaceexport",
    "health.intakebatch",
}
Progress = Callable[[int, int, int], None]


def write_export(folder: Path, *, progress: Progress = lambda *_: None) -> dict[str, int]:
    """Write all files into `folder` (made if it is not there), in the running scope; rows by table.

    One consistent moment: the caller's transaction is repeatable only if it was opened so, but each
    file is one statement.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = [data for data in personal_data if data.name not in _LEFT_OUT]
    counts: dict[str, int] = {}
    for done, data in enumerate(tables, start=1):
        counts[data.name] = _write_table(folder / f"{data.name}.jsonl", data)
        progress(done, len(tables), sum(counts.values()))
    counts["members"] = _write_members(folder / "members.jsonl")
    workspace = Workspace.objects.get(pk=current_workspace_id())
    about = {
        "workspace": workspace.slug,
        "name": workspace.name,
        "time_zone": workspace.time_zone,
        "rows": counts,
    }
    (folder / "manifest.json").write_text(json.dumps(about, indent=2, ensure_ascii=False))
    (folder / "README.md").write_text("\n".join(_description(tables, counts)))
    return counts


def _columns(data: TableData) -> list[models.Field[Any, Any]]:
    secret = {name for name, kind in data.classes().items() if kind == DataClass.SECRET}
    return [
        f
        for f in data.model._meta.concrete_fields
        if f.name not in secret and f.name != "workspace" and f.column
    ]


def _write_table(path: Path, data: TableData) -> int:
    """One COPY; control characters as quote and delimiter, which JSON never holds, so that nothing is escaped."""
    columns = [str(field.column) for field in _columns(data)]
    names = sql.SQL(", ").join([sql.Identifier(column) for column in columns])
    query = sql.SQL(
        "COPY (SELECT row_to_json(r) FROM (SELECT {names} FROM {table}) r)"
        " TO STDOUT WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
    ).format(names=names, table=sql.Identifier(data.model._meta.db_table))
    rows = 0
    with connection.cursor() as cursor, path.open("wb") as file, cursor.copy(query) as copy:
        for block in copy:
            content = bytes(block)
            rows += content.count(b"\n")
            file.write(content)
    return rows


def _write_members(path: Path) -> int:
    rows = list(Membership.objects.select_related("user").order_by("pk"))
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            member = {
                "id": row.pk,
                "email": row.user.email,
                "name": row.user.name,
                "role": row.role,
                "is_active": row.is_active,
            }
            file.write(json.dumps(member, ensure_ascii=False) + "\n")
    return len(rows)


def _description(tables: list[TableData], counts: dict[str, int]) -> Iterator[str]:
    yield "# Export of a workspace\n"
    yield "One JSON object per line and row. Ids link the tables; money is in minor units beside its currency;"
    yield "times are ISO 8601 with their offset. `members.jsonl` names the people behind user and member ids.\n"
    for data in tables:
        yield f"## {data.name}.jsonl ({counts[data.name]} rows)\n"
        yield " ".join((data.model.__doc__ or "").split()) + "\n"
        for field in _columns(data):
            words = f": {field.help_text}" if field.help_text else ""
            target = f", id in {field.related_model._meta.label_lower}" if field.related_model else ""
            yield f"- `{field.column}` ({field.get_internal_type()}{target}){words}"
        yield ""


@transaction.atomic
def request_export(*, acting_user: User, now: datetime) -> WorkspaceExport:
    """Ask for an export; a job makes it. One that waits already is the answer."""
    row = WorkspaceExport.objects.filter(status=WorkspaceExport.Status.WAITING).first()
    if row is None:
        row = WorkspaceExport.objects.create(requested_by=acting_user, requested_at=now)
        audit("accounts.workspace.export_requested", acting_user=acting_user, target=row)
    Job.objects.put(EXPORT_JOB, row.pk)
    return row


def run_export(lease: Lease) -> None:
    """Handler of the job: files, a zip of them, a stored file; progress is seen while it runs."""
    with heartbeat(lease), tempfile.TemporaryDirectory(prefix="cs-export-") as place:
        with workspace_scope(lease.workspace_id):
            row = WorkspaceExport.objects.get(pk=lease.object_id)
            if row.status != WorkspaceExport.Status.WAITING:
                return
            counts = write_export(Path(place) / "export")
        archive = Path(place) / "export.zip"
        _zip(Path(place) / "export", archive)
        with workspace_scope(lease.workspace_id), archive.open("rb") as stream:
            now = timezone.now()
            row.file = store_file(
                stream=stream, name="export.zip", content_type="application/zip", expires_at=now + KEPT
            )
            row.rows, row.tables = sum(counts.values()), len(counts)
            row.tables_done, row.status, row.finished_at = len(counts), WorkspaceExport.Status.DONE, now
            lease.hold()
            row.save()


def _zip(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
        for path in sorted(folder.iterdir()):
            target.write(path, path.name)
