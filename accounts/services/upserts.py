"""Rows from a machine, written by the same verbs as a file's rows.

All rows of a kind and a local day belong to one Import, so that the list of imports shows them and a
whole day of a connector gone wrong can be undone as one act.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.imports.columns import ColumnKind, as_trait
from accounts.imports.converters import as_text, convert
from accounts.imports.dates import DateReader
from accounts.imports.fields import ImportSpec
from accounts.imports.parsing import ParsedRow
from accounts.imports.problems import RowProblem
from accounts.models import Import, TraitDefinition, Workspace
from accounts.registry import ImportKind, import_kinds
from accounts.services.import_rows import ChunkResult, ImportContext
from accounts.services.imports import lock_imports
from accounts.signals import import_finished
from cs_platform.lib.scoping import current_workspace_id

# What a None empties; any other field always has a value.
CLEARABLE = {
    "accounts": frozenset({"domain", "industry", "country", "csm_email"}),
    "contacts": frozenset({"email", "name", "role"}),
    "subscriptions": frozenset({"plan", "seats", "ended_at", "renews_at", "ended_reason", "ended_cause"}),
    "tickets": frozenset({"contact", "subject", "closed_at", "satisfaction"}),
    "invoices": frozenset({"subscription", "paid_at", "attempts", "last_error"}),
}


class RowRefused(Exception):
    """The row cannot be written; `field`, a stable code, and a sentence."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code, self.field, self.message = code, field, message


@dataclass(frozen=True)
class Given:
    """One row: values by field (None empties it, a missing one stays), and traits or properties."""

    values: Mapping[str, Any]
    extras: Mapping[str, Any]


@dataclass
class Upserted:
    """What became of the rows; `refused` by their place in what was given."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: dict[int, RowRefused] = field(default_factory=dict)


def upsert_row(*, kind: str, values: Mapping[str, Any], extras: Mapping[str, Any], now: datetime) -> Upserted:
    """Create or update one row by its `external_id`. Raises RowRefused."""
    done = upsert_rows(kind=kind, rows=[Given(values, extras)], now=now)
    if done.refused:
        raise done.refused[0]
    return done


def upsert_rows(*, kind: str, rows: Sequence[Given], now: datetime) -> Upserted:
    """Create or update rows by `external_id`; one that is refused keeps none of the others from being written."""
    found = import_kinds.get(kind)
    workspace = Workspace.objects.get(pk=current_workspace_id())
    lock_imports()
    done = Upserted()
    reader = _Reader(found.spec, CLEARABLE[kind], DateReader("iso", workspace.zone), rows)
    parsed = reader.parse(rows, done.refused)
    source = _import_of_day(kind, workspace, now) if parsed else None
    while parsed and source:
        context = ImportContext(source_import=source, workspace=workspace, now=now, kinds=reader.kinds)
        result, warned = _applied(found, context, parsed)
        if not warned:
            _settle(source, result, done)
            break
        done.refused |= warned
        parsed = [row for row in parsed if row.line not in warned]
    return done


def _applied(
    found: ImportKind, context: ImportContext, parsed: Sequence[ParsedRow]
) -> tuple[ChunkResult, dict[int, RowRefused]]:
    """A file's row goes in without a name that nobody knows here, with a warning; a machine's row does not."""
    with transaction.atomic():
        result = found.apply(context, parsed)
        warned = {
            row.line: RowRefused(code, code.removeprefix("unknown_"), f"there is no “{value}” here")
            for code, value in context.warnings
            for row in parsed
            if value in row.values.values()
        }
        transaction.set_rollback(bool(warned))
    return result, warned


def _settle(source: Import, result: ChunkResult, done: Upserted) -> None:
    for refused in result.refused:
        problem = refused.problem
        done.refused[refused.line] = RowRefused(problem.code, problem.field, str(problem))
    done.created, done.updated, done.unchanged = result.created, result.updated, result.unchanged
    count = result.created + result.updated + result.unchanged
    if count:
        _count(source, count, result)
        import_finished.send(source.pk)


def _import_of_day(kind: str, workspace: Workspace, now: datetime) -> Import:
    name = f"API {now.astimezone(workspace.zone).date().isoformat()}"
    rows = Import.objects.filter(kind=kind, file_name=name, status=Import.Status.DONE)
    found: Import = rows.order_by("-pk").first() or Import.objects.create(
        kind=kind,
        file_name=name,
        status=Import.Status.DONE,
        finished_at=now,
        options={"via": "api"},
        detail={"columns": {}},
    )
    return found


class _Reader:
    """Reads given rows as the verbs take them. `kinds`: the types of the traits that they bring."""

    def __init__(
        self, spec: ImportSpec, clearable: frozenset[str], dates: DateReader, rows: Sequence[Given]
    ) -> None:
        self._spec, self._clearable, self._dates = spec, clearable, dates
        self.kinds: dict[str, str] = {}
        self._seen: set[str] = set()
        if spec.extras == "trait":
            keys = {key for row in rows for key in row.extras}
            self.kinds = dict(TraitDefinition.objects.filter(key__in=keys).values_list("key", "kind"))

    def parse(self, rows: Sequence[Given], refused: dict[int, RowRefused]) -> list[ParsedRow]:
        parsed = []
        for line, row in enumerate(rows):
            try:
                parsed.append(self._parsed(line, row))
            except RowProblem as problem:
                refused[line] = RowRefused(problem.code, problem.field, str(problem))
            except RowRefused as problem:
                refused[line] = problem
        return parsed

    def _parsed(self, line: int, row: Given) -> ParsedRow:
        values, cleared = self._typed(row.values)
        key = values[self._spec.key]
        if key in self._seen:
            raise RowRefused("repeated", self._spec.key, f"“{key}” is in an earlier row of this request")
        read = ParsedRow(line, values, self._extras(row.extras), cleared)
        self._seen.add(key)
        return read

    def _typed(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
        typed, cleared = {}, set()
        for name, value in values.items():
            text = value.isoformat() if isinstance(value, datetime) else as_text(value)
            if text:
                typed[name] = convert(self._spec.field(name), text, self._dates)
            elif name in self._clearable:
                cleared.add(name)
        typed = {name: value for name, value in typed.items() if value is not None}
        for known in self._spec.fields:
            if known.name not in typed and (known.required or known.name == self._spec.key):
                raise RowProblem("missing", known.name)
        return typed, frozenset(cleared)

    def _extras(self, extras: Mapping[str, Any]) -> dict[str, Any]:
        if self._spec.extras != "trait":
            return dict(extras)
        kinds = {key: _kind(value, self._dates) for key, value in extras.items()}
        for key, kind in kinds.items():
            before = self.kinds.get(key, kind)
            # A file may turn a column into text, with a preview; one row of a machine may not.
            if kind != "empty" and before not in (kind, "text", "empty"):
                raise RowRefused(
                    "other_type", f"traits.{key}", f"this trait is a {before} here, not a {kind}"
                )
        for key, kind in kinds.items():
            if self.kinds.get(key, "empty") == "empty":
                self.kinds[key] = kind
        made = {key: as_trait(value, self.kinds[key], self._dates) for key, value in extras.items()}
        return {key: value for key, value in made.items() if value is not None}


def _kind(value: Any, dates: DateReader) -> str:
    seen = ColumnKind()
    seen.see(value, dates)
    return seen.kind


def _count(row: Import, read: int, result: ChunkResult) -> None:
    Import.objects.filter(pk=row.pk).update(
        rows_read=F("rows_read") + read,
        rows_created=F("rows_created") + result.created,
        rows_updated=F("rows_updated") + result.updated,
        rows_unchanged=F("rows_unchanged") + result.unchanged,
    )
