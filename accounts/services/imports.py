"""Run an import: inspect the whole file, then write it in chunks, each one transaction.

Nothing is written for a file that cannot be read or mapped. A run that dies leaves whole chunks
and can simply be run again: every row is an upsert under its own key.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.imports.dates import DateReader
from accounts.imports.inspecting import Inspection, inspect
from accounts.imports.mapping import ImportOptions, suggestions
from accounts.imports.parsing import ParsedRow, Refused, RowParser
from accounts.imports.problems import FileProblem, RowProblem, row_problem_text
from accounts.imports.reading import SourceFile
from accounts.models import Import, ImportReject, User, Workspace
from accounts.registry import ImportKind, import_kinds
from accounts.services.audit import audit
from accounts.services.import_rows import ChunkResult, ImportContext
from accounts.signals import import_finished
from cs_platform.lib.scoping import current_workspace_id, workspace_scope

ATTEMPTS = 3
SILENCE = timedelta(minutes=10)
MAX_REJECTS_KEPT = 10_000
MAX_REJECTS_SHOWN = 100
COUNTS = ("rows_read", "rows_created", "rows_updated", "rows_unchanged", "rows_rejected")
_LOCK = 7010

Progress = Callable[[int, int], None]
OnRefused = Callable[[Refused], None]


@dataclass(frozen=True)
class Durable:
    """What makes a run survive its worker: it is a job's, and the next worker goes on with it.

    `fence` raises in a chunk's transaction when somebody else has the job; `started` runs in the transaction
    that makes the Import; `earlier` is the Import of a run that was killed, which goes on behind its last chunk.
    """

    fence: Callable[[], None]
    started: Callable[[Import], None]
    earlier: Import | None = None


@dataclass
class ImportOutcome:
    """What an import did (or, as a dry run, would do). `refused` holds the first MAX_REJECTS_SHOWN."""

    source_import: Import
    total: int
    columns: dict[str, str]
    suggestions: dict[str, str]
    is_dry_run: bool
    refused: list[Refused] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {name: getattr(self.source_import, name) for name in COUNTS}


@dataclass(frozen=True)
class PreparedFile:
    """A sound file with its mapping; `rows()` may be read once per call."""

    kind: ImportKind
    source: SourceFile
    options: ImportOptions
    dates: DateReader
    inspection: Inspection

    def rows(self) -> Iterator[ParsedRow | Refused]:
        return RowParser(self.kind.spec, self.inspection, self.dates).parse_all(self.source)


def prepare_file(
    *,
    workspace: Workspace,
    kind: str,
    path: Path,
    options: ImportOptions,
    on_rows: Callable[[int], None] = lambda rows: None,
) -> PreparedFile:
    """Read the file once and settle its mapping. Raises FileProblem; writes nothing."""
    found = import_kinds.get(kind)
    dates = DateReader(options.date_format, workspace.zone)
    _read_known_at(options, dates)
    source = SourceFile(path, encoding=options.encoding, delimiter=options.delimiter)
    inspection = inspect(source, found.spec, options, dates, on_rows=on_rows)
    return PreparedFile(found, source, options, dates, inspection)


def run_import(
    *,
    workspace: Workspace,
    prepared: PreparedFile,
    acting_user: User | None,
    dry_run: bool = False,
    file_name: str = "",
    progress: Progress = lambda done, total: None,
    on_refused: OnRefused = lambda refused: None,
    durable: Durable | None = None,
) -> ImportOutcome:
    """Import the file. Call outside a scope: every chunk is a transaction of its own.

    A dry run does the same in one transaction and rolls it back, so its counts are exact.
    Raises FileProblem when nothing was usable; the Import row then says why.
    """
    run = _Run(workspace, prepared, acting_user, dry_run, progress, on_refused, durable)
    if not dry_run:
        return run.go(file_name)
    with workspace_scope(workspace.pk), transaction.atomic():
        try:
            return run.go(file_name)
        finally:
            transaction.set_rollback(True)


@dataclass
class _Run:
    workspace: Workspace
    prepared: PreparedFile
    acting_user: User | None
    is_dry_run: bool
    progress: Progress
    on_refused: OnRefused
    durable: Durable | None = None

    def go(self, file_name: str) -> ImportOutcome:
        with self._scope():
            self._begin(file_name)
        try:
            # The parser reads what is written already, too: it must know the keys of those rows.
            rest = islice(self.prepared.rows(), self.source_import.rows_read, None)
            for rows in _chunks(rest, self.prepared.kind.chunk):
                self._chunk(rows)
            if self.source_import.rows_rejected == self.source_import.rows_read:
                raise FileProblem("every_row_rejected", reason=self._first_reason())
        except BaseException as error:
            self._fail(error)
            raise
        self._finish()
        return self.outcome

    def _scope(self) -> Any:
        return workspace_scope(self.workspace.pk)

    def _begin(self, file_name: str) -> None:
        close_dead_runs(now=timezone.now())
        spec, inspection = self.prepared.kind.spec, self.prepared.inspection
        columns = inspection.report(spec.extras)
        earlier = self.durable.earlier if self.durable else None
        self.source_import = _reopened(earlier) if earlier else self._new(file_name, columns)
        self.context = ImportContext(
            source_import=self.source_import,
            workspace=self.workspace,
            now=self.source_import.started_at,
            kinds=inspection.kinds,
            known_at=_read_known_at(self.prepared.options, self.prepared.dates),
            warnings=Counter(
                {(w["code"], w["value"]): w["rows"] for w in self.source_import.detail.get("warnings", ())}
            ),
        )
        found = suggestions(spec, inspection.mapping)
        self.outcome = ImportOutcome(self.source_import, inspection.rows, columns, found, self.is_dry_run)

    def _new(self, file_name: str, columns: dict[str, str]) -> Import:
        prepared = self.prepared
        made = Import.objects.create(
            kind=prepared.kind.name,
            file_name=(file_name or prepared.source.path.name)[:300],
            file_digest=_digest(prepared.source.path),
            options=prepared.options.as_json(),
            created_by=self.acting_user,
            detail={"columns": columns, "rows": prepared.inspection.rows},
        )
        if self.durable:
            self.durable.fence()
            self.durable.started(made)
        return made

    def _first_reason(self) -> str:
        if self.outcome.refused:
            return str(self.outcome.refused[0].problem)
        with self._scope():  # all of them were refused before this run was taken over
            first = ImportReject.objects.filter(source_import=self.source_import).order_by("line")[0]
        return row_problem_text(first.reason, first.field, first.detail)

    def _chunk(self, rows: list[ParsedRow | Refused]) -> None:
        warnings = self.context.warnings.copy()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._scope():
                    result = self._write(rows)
                break
            except (IntegrityError, OperationalError) as error:
                # The live intake may have made the same account a moment ago; the second look finds it.
                if not connection.is_usable():
                    raise
                if attempt == ATTEMPTS or self.is_dry_run:
                    raise FileProblem("busy") from error
                self.context.cache.clear()
                self.context.warnings = warnings.copy()
        self._report(result)

    def _write(self, rows: list[ParsedRow | Refused]) -> ChunkResult:
        lock_imports()
        if self.durable:
            self.durable.fence()
        status = Import.objects.select_for_update().values_list("status", flat=True)
        now = status.get(pk=self.source_import.pk)
        if now != Import.Status.RUNNING:
            raise FileProblem("was_canceled" if now == Import.Status.CANCELED else "was_undone")
        good = [row for row in rows if isinstance(row, ParsedRow)]
        self.context.warnings.update(warning for row in good for warning in row.left_out)
        result: ChunkResult = self.prepared.kind.apply(self.context, good)
        result.refused = sorted(
            [*result.refused, *(row for row in rows if isinstance(row, Refused))], key=lambda r: r.line
        )
        self._save(len(rows), result)
        return result

    def _save(self, read: int, result: ChunkResult) -> None:
        row = self.source_import
        added = (read, result.created, result.updated, result.unchanged, len(result.refused))
        Import.objects.filter(pk=row.pk).update(
            finished_at=timezone.now(),
            detail=row.detail | {"warnings": self._warnings()},
            **{name: F(name) + number for name, number in zip(COUNTS, added, strict=True)},
        )
        room = max(0, MAX_REJECTS_KEPT - row.rows_rejected)
        ImportReject.objects.bulk_create(
            [_reject(row, refused) for refused in result.refused[:room]], batch_size=1000
        )

    def _report(self, result: ChunkResult) -> None:
        with self._scope():
            self.source_import.refresh_from_db(fields=COUNTS)
        for refused in result.refused:
            self.on_refused(refused)
        room = MAX_REJECTS_SHOWN - len(self.outcome.refused)
        self.outcome.refused += result.refused[: max(0, room)]
        self.progress(self.source_import.rows_read, self.outcome.total)

    def _warnings(self) -> list[dict[str, Any]]:
        common = self.context.warnings.most_common(MAX_REJECTS_SHOWN)
        return [{"code": code, "value": value, "rows": rows} for (code, value), rows in common]

    def _fail(self, error: BaseException) -> None:
        if self.is_dry_run or not connection.is_usable():
            return
        if self.durable and (not isinstance(error, FileProblem) or error.code == "busy"):
            return  # the job comes again and goes on
        with self._scope():
            row = Import.objects.get(pk=self.source_import.pk)
            if row.status == Import.Status.RUNNING:
                code = error.code if isinstance(error, FileProblem) else type(error).__name__
                row.status, row.finished_at = Import.Status.FAILED, timezone.now()
                row.detail = row.detail | {"failed": code}
                row.save(update_fields=["status", "finished_at", "detail"])

    def _finish(self) -> None:
        self.outcome.warnings = self._warnings()
        row = self.source_import
        row.status, row.finished_at = Import.Status.DONE, timezone.now()
        row.detail |= {"warnings": self.outcome.warnings}
        with self._scope():
            if self.durable:
                self.durable.fence()
            row.save(update_fields=["status", "finished_at", "detail"])
            audit(
                "accounts.import.finished",
                acting_user=self.acting_user,
                target=row,
                kind=row.kind,
                **self.outcome.counts(),
            )
            import_finished.send(row.pk)


def _reopened(row: Import) -> Import:
    """The Import of a run whose worker died, also when somebody has noticed that it was silent."""
    if row.status == Import.Status.FAILED and row.detail.get("failed") == "interrupted":
        row.status = Import.Status.RUNNING
        row.detail = {key: value for key, value in row.detail.items() if key != "failed"}
        row.save(update_fields=["status", "detail"])
    return row


def _read_known_at(options: ImportOptions, dates: DateReader) -> datetime | None:
    try:
        return dates.read(options.known_at) if options.known_at else None
    except RowProblem as problem:
        raise FileProblem("bad_known_at", value=options.known_at, reason=str(problem)) from None


def close_dead_runs(*, now: datetime) -> int:
    """Runs that wrote nothing for long were killed: say so. What they wrote stays and can be undone."""
    silent = Import.objects.annotate(last=Coalesce("finished_at", "started_at"))
    rows = list(silent.filter(status=Import.Status.RUNNING, last__lt=now - SILENCE))
    for row in rows:
        row.status = Import.Status.FAILED
        row.detail |= {"failed": "interrupted"}
        row.save(update_fields=["status", "detail"])
    return len(rows)


def lock_imports() -> None:
    """One writer of imports per workspace at a time, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, current_workspace_id() % 2_147_483_647]
        )


def _reject(source_import: Import, refused: Refused) -> ImportReject:
    problem = refused.problem
    return ImportReject(
        source_import=source_import,
        line=refused.line,
        field=problem.field[:100],
        reason=problem.code,
        detail=problem.params,
    )


def _chunks(rows: Iterable[ParsedRow | Refused], size: int) -> Iterator[list[ParsedRow | Refused]]:
    stream = iter(rows)
    while chunk := list(islice(stream, size)):
        yield chunk


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
