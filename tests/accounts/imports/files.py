"""Write a file, import it, look at what came of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from accounts.imports.mapping import ImportOptions, parse_mappings
from accounts.models import Workspace
from accounts.services.imports import ImportOutcome, prepare_file, run_import


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


class Importer:
    """Imports texts as files into one workspace."""

    def __init__(self, folder: Path, workspace: Workspace) -> None:
        self.folder, self.workspace = folder, workspace
        self._number = 0

    def file(self, text: str | bytes, suffix: str = ".csv") -> Path:
        self._number += 1
        path = self.folder / f"file{self._number}{suffix}"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def __call__(
        self, kind: str, text: str | bytes | Path, *maps: str, suffix: str = ".csv", **options: Any
    ) -> ImportOutcome:
        run = {name: options.pop(name) for name in ("dry_run", "acting_user") if name in options}
        options["drop"] = frozenset(options.pop("drop", ()))
        prepared = prepare_file(
            workspace=self.workspace,
            kind=kind,
            path=text if isinstance(text, Path) else self.file(text, suffix),
            options=ImportOptions(mapping=parse_mappings(maps), **options),
        )
        return run_import(workspace=self.workspace, prepared=prepared, **{"acting_user": None, **run})


def counts(outcome: ImportOutcome) -> tuple[int, int, int, int]:
    """(created, updated, unchanged, rejected)"""
    row = outcome.source_import
    return (row.rows_created, row.rows_updated, row.rows_unchanged, row.rows_rejected)


def problems(outcome: ImportOutcome) -> list[tuple[int, str, str]]:
    """(line, field, code) of each refused row."""
    return [(r.line, r.problem.field, r.problem.code) for r in outcome.refused]
