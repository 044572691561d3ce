"""`manage.py undo_import`: take an import back as one act."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.management.base import Failure, ReportingCommand, find_user, find_workspace
from accounts.models import Import
from accounts.services.import_undo import UndoRefused, undo_import
from accounts.services.imports import close_dead_runs
from accounts.tasks import nudge
from cs_platform.lib.scoping import workspace_scope

SHOWN = 20


class Command(ReportingCommand):
    help = "Undo an import; without an id, list the latest imports."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "import_id", nargs="?", default="", metavar="IMPORT", help="the id that the import printed"
        )
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--last", action="store_true", help="undo the latest import that is not undone")
        parser.add_argument("--user", metavar="EMAIL", help="in whose name (for the audit log)")

    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        workspace = find_workspace(options["workspace"])
        user = find_user(options["user"])
        with workspace_scope(workspace.pk):
            if not options["import_id"] and not options["last"]:
                close_dead_runs(now=timezone.now())
                return {"imports": [_listed(row) for row in Import.objects.order_by("-pk")[:SHOWN]]}
            row = _find(options["import_id"])
            try:
                report = undo_import(source_import=row, acting_user=user, now=timezone.now())
            except UndoRefused as refused:
                blockers = [_listed(blocker) for blocker in refused.blockers]
                raise Failure(refused.code, str(refused), blockers=blockers) from None
        nudge()
        return {"import": str(row.public_id), "kind": row.kind, **report.as_json()}

    def report(self, result: dict[str, Any]) -> None:
        for line in _lines(result):
            self.stdout.write(line)


def _lines(result: dict[str, Any]) -> list[str]:
    if "imports" in result:
        return ["  ".join(str(value) for value in row.values()) for row in result["imports"]] or [
            "no imports"
        ]
    found = [f"undone: {result['kind']} {result['import']}"]
    for name in ("removed", "restored", "kept"):
        found += [f"  {name} {count:,} {what}" for what, count in result[name].items()]
    return found


def _find(import_id: str) -> Import:
    rows = Import.objects.order_by("-pk")
    if not import_id:
        row = rows.exclude(status=Import.Status.UNDONE).first()
    else:
        try:
            row = rows.filter(public_id=uuid.UUID(import_id)).first()
        except ValueError:
            row = None
    if row is None:
        raise Failure(
            "no_import", "There is no such import in this workspace. Run without an id to list them."
        )
    return row


def _listed(row: Import) -> dict[str, Any]:
    return {
        "import": str(row.public_id),
        "kind": row.kind,
        "status": row.status,
        "file": row.file_name,
        "started_at": row.started_at.isoformat(timespec="seconds"),
        "rows": row.rows_read,
    }
