"""`manage.py backup FILE`: the whole installation in one file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.management.base import Failure, ReportingCommand
from cs_platform.backups.writing import write_backup


class Command(ReportingCommand):
    help = "Writes every workspace, login and job into one file; work goes on meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "file", help="where to write; an older file of this name is replaced when all is well"
        )

    def run(self, *, file: str, **_: Any) -> dict[str, Any]:
        path, started = Path(file), time.monotonic()
        if not path.parent.is_dir():
            raise Failure("no_folder", f"There is no folder {path.parent}.")
        manifest = write_backup(path, now=timezone.now(), progress=self.progress)
        return {
            "file": str(path),
            "bytes": path.stat().st_size,
            "workspaces": manifest["workspaces"],
            "rows": sum(manifest["rows"].values()),
            "seconds": round(time.monotonic() - started, 1),
        }
