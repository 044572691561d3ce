"""One row from a machine, written by the same verbs as a file's rows.

All rows of a kind and a local day belong to one Import, so that the list of imports shows them and a
whole day of a connector gone wrong can be undone as one act.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F

from accounts.imports.columns import ColumnKind, as_trait
from accounts.imports.converters import as_text, convert
from accounts.imports.dates import DateReader
from accounts.imports.fields import ImportSpec
from accounts.imports.parsing import ParsedRow
from accounts.imports.problems import RowProblem
from accounts.models import Import, TraitDefinition, Workspace
from accounts.registry import import_kinds
from accounts.services.import_rows import ImportContext
from accounts.services.imports import lock_imports
from accounts.signals import import_finished
from cs_platform.lib.scoping import current_workspace_id


class RowRefused(Exception):
    """The row cannot be written; `field`, a stable code, and a sentence."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code, self.field, self.message = code, field, message


@dataclass(frozen=True)
class Upserted:
    """What became of the row."""

    created: bool
    updated: bool


def upsert_row(*, kind: str, values: Mapping[str, Any], extras: Mapping[str, Any], now: datetime) -> Upserted:
    """Create or update one row by its `external_id`; None and "" leave a field as it is. Raises RowRefused."""
    found = import_kinds.get(kind)
    workspace = Workspace.objects.get(pk=current_workspace_id())
    dates = DateReader("iso", workspace.zone)
    lock_imports()
    row = _import_of_day(kind, workspace, now)
    context = ImportContext(source_import=row, workspace=workspace, now=now)
    try:
        parsed = ParsedRow(0, _typed(found.spec, values, dates), _extras(found.spec, extras, dates, context))
    except RowProblem as problem:
        raise RowRefused(problem.code, problem.field, str(problem)) from None
    result = found.apply(context, [parsed])
    for refused in result.refused:
        raise RowRefused(refused.problem.code, refused.problem.field, str(refused.problem))
    for code, value in context.warnings:
        raise RowRefused(code, code.removeprefix("unknown_"), f"there is no “{value}” here")
    _count(row, result)
    import_finished.send(row.pk)
    return Upserted(bool(result.created), bool(result.updated))


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


def _typed(spec: ImportSpec, values: Mapping[str, Any], dates: DateReader) -> dict[str, Any]:
    typed = {}
    for name, value in values.items():
        text = value.isoformat() if isinstance(value, datetime) else as_text(value)
        if text:
            typed[name] = convert(spec.field(name), text, dates)
    for field in spec.fields:
        if field.name not in typed and (field.required or field.name == spec.key):
            raise RowProblem("missing", field.name)
    return {name: value for name, value in typed.items() if value is not None}


def _extras(
    spec: ImportSpec, extras: Mapping[str, Any], dates: DateReader, context: ImportContext
) -> dict[str, Any]:
    if spec.extras != "trait":
        return {key: value for key, value in extras.items() if value is not None}
    kinds = {key: _kind(value, dates) for key, value in extras.items()}
    known = dict(TraitDefinition.objects.filter(key__in=kinds).values_list("key", "kind"))
    for key, kind in kinds.items():
        before = known.get(key, kind)
        # A file may turn a column into text, with a preview; one row of a machine may not.
        if kind != "empty" and before not in (kind, "text"):
            raise RowRefused("other_type", f"traits.{key}", f"this trait is a {before} here, not a {kind}")
    context.kinds = {key: known.get(key, kind) for key, kind in kinds.items()}
    made = {key: as_trait(value, context.kinds[key], dates) for key, value in extras.items()}
    return {key: value for key, value in made.items() if value is not None}


def _kind(value: Any, dates: DateReader) -> str:
    seen = ColumnKind()
    seen.see(value, dates)
    return seen.kind


def _count(row: Import, result: Any) -> None:
    Import.objects.filter(pk=row.pk).update(
        rows_read=F("rows_read") + 1,
        rows_created=F("rows_created") + result.created,
        rows_updated=F("rows_updated") + result.updated,
        rows_unchanged=F("rows_unchanged") + result.unchanged,
    )
