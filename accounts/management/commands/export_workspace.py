"""`manage.py export_workspace SLUG --out DIR`: everything the workspace owns, documented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.management.base import Failure, ReportingCommand, find_workspace
from accounts.services.workspace_export import write_export
from cs_platform.lib.scoping import workspace_scope


class Command(ReportingCommand):
    help = "Writes one JSON Lines file per table, a manifest and a README into a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug")
        parser.add_argument("--out", required=True, help="a folder; it is made when it is not there")

    def run(self, *, slug: str, out: str, **_: Any) -> dict[str, Any]:
        workspace = find_workspace(slug)
        folder = Path(out)
        if folder.exists() and any(folder.iterdir()):
            raise Failure("not_empty", f"{folder} is not empty. Name a new folder.")
        with workspace_scope(workspace.pk):
            counts = write_export(folder, progress=self._say)
        return {"workspace": slug, "folder": str(folder), "rows": sum(counts.values()), "tables": counts}

    def _say(self, done: int, tables: int, rows: int) -> None:
        self.progress(f"{done} of {tables} tables, {rows} rows")
