"""`manage.py restore FILE`: a backup into an empty database."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.management.base import Failure, ReportingCommand
from cs_platform.backups.reading import CannotRestore, read_backup
from health.services.partitions import ensure_partitions


class Command(ReportingCommand):
    help = "Fills an empty, migrated database. Afterwards nothing is sent until an owner releases it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file")

    def run(self, *, file: str, **_: Any) -> dict[str, Any]:
        started, now = time.monotonic(), timezone.now()
        try:
            manifest = read_backup(Path(file), now=now, progress=self.progress)
        except CannotRestore as error:
            raise Failure("cannot_restore", str(error)) from error
        ensure_partitions(today=now.date())
        return {
            "written_at": manifest["written_at"],
            "workspaces": manifest["workspaces"],
            "rows": sum(manifest["rows"].values()),
            "seconds": round(time.monotonic() - started, 1),
            "next": "nothing is sent: each workspace's owner releases or discards what waits (Settings, Restore)",
        }
