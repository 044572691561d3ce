"""What all imports share while they write: the context, look-ups, upserts and the log that undo reads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection, models

from accounts.imports.parsing import ParsedRow, Refused
from accounts.imports.problems import RowProblem, shown
from accounts.models import Account, Import, Subscription, Workspace
from cs_platform.lib.scoping import current_workspace_id

_BATCH = 1000


@dataclass
class ImportContext:
    """One running import. `kinds`: types of the columns that become traits or properties."""

    source_import: Import
    workspace: Workspace
    now: datetime
    kinds: Mapping[str, str] = field(default_factory=dict)
    known_at: datetime | None = None
    warnings: Counter[tuple[str, str]] = field(default_factory=Counter)
    cache: dict[str, Any] = field(default_factory=dict)


@dataclass
class ChunkResult:
    """What became of the rows of one chunk."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[Refused] = field(default_factory=list)

    def refuse(self, row: ParsedRow, code: str, field_name: str, value: object = "") -> None:
        params = {"value": shown(value)} if value != "" else {}
        self.refused.append(Refused(row.line, RowProblem(code, field_name, params)))

    def count(self, rows: int, created: int, updated: int) -> None:
        """Tally rows of which so many were created or updated; the rest was as it is."""
        self.created += created
        self.updated += updated
        self.unchanged += rows - created - updated


@dataclass
class Saved:
    """Ids by external id, and the external ids that were created or changed."""

    ids: dict[str, int]
    created: set[str]
    updated: set[str]


def with_account(rows: Iterable[ParsedRow], result: ChunkResult) -> list[tuple[ParsedRow, int]]:
    """Rows with the id of their account; rows of unknown accounts are refused."""
    rows = list(rows)
    ids = ids_by_external_id(Account, {row.values["account"] for row in rows})
    known = []
    for row in rows:
        account_id = ids.get(row.values["account"])
        if account_id is None:
            result.refuse(row, "unknown_account", "account", row.values["account"])
        else:
            known.append((row, account_id))
    return known


def ids_by_external_id(model: type[models.Model], external_ids: Iterable[str]) -> dict[str, int]:
    rows = model._default_manager.filter(external_id__in=set(external_ids))
    return dict(rows.values_list("external_id", "pk"))


def subscriptions_by_external_id(external_ids: Iterable[str]) -> dict[str, Subscription]:
    return {s.external_id: s for s in Subscription.objects.filter(external_id__in=set(external_ids))}


def save_rows(
    context: ImportContext,
    model: type[Any],
    wanted: Mapping[str, Mapping[str, Any]],
    new: Callable[[str], dict[str, Any]],
) -> Saved:
    """Create or update rows by external id. `wanted` holds only values that the file has; `new` the
    defaults of a row that is created. Dictionaries (properties) are merged into what is there."""
    existing = {row.external_id: row for row in model._default_manager.filter(external_id__in=list(wanted))}
    fresh = [
        model(external_id=key, **{**new(key), **_without_blanks(values)})
        for key, values in wanted.items()
        if key not in existing
    ]
    model._default_manager.bulk_create(fresh, batch_size=_BATCH)
    record_created(context, model, [row.pk for row in fresh])
    changed = {}
    for key, row in existing.items():
        difference = assign(row, wanted[key])
        if difference:
            changed[key] = (row, difference)
    save_changed(context, model, list(changed.values()))
    ids = {row.external_id: row.pk for row in (*fresh, *existing.values())}
    return Saved(ids, {row.external_id for row in fresh}, set(changed))


def assign(row: models.Model, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Set the values that differ; returns {field: (before, after)}."""
    difference = {}
    for name, value in values.items():
        before = getattr(row, name)
        after = merged(before, value) if isinstance(before, dict) else value
        if after != before:
            difference[name] = (before, after)
            setattr(row, name, after)
    return difference


def merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Properties with what is given; a None takes one away."""
    return {name: value for name, value in {**before, **given}.items() if value is not None}


def _without_blanks(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: merged({}, value) if isinstance(value, dict) else value for name, value in values.items()}


def save_changed(
    context: ImportContext,
    model: type[models.Model],
    changed: Sequence[tuple[models.Model, Mapping[str, tuple[Any, Any]]]],
) -> None:
    """Write changed rows in one statement per batch, and log their values before and after."""
    if not changed:
        return
    names = sorted({name for _, difference in changed for name in difference})
    fields = [model._meta.get_field(name).name for name in names]
    model._default_manager.bulk_create(
        [row for row, _ in changed],
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=fields,
    )
    record_updated(context, model, [(row.pk, difference) for row, difference in changed])


def record_created(context: ImportContext, model: type[models.Model], ids: Sequence[int]) -> None:
    """Note rows that undo removes."""
    _record(context, model, [(row_id, None, {}) for row_id in ids])


def record_updated(
    context: ImportContext,
    model: type[models.Model],
    changes: Sequence[tuple[int, Mapping[str, tuple[Any, Any]]]],
) -> None:
    """Note rows that undo restores; a row changed twice keeps its first `before`."""
    rows = []
    for row_id, difference in changes:
        before = {name: stored(pair[0]) for name, pair in difference.items()}
        rows.append((row_id, before, {name: stored(pair[1]) for name, pair in difference.items()}))
    _record(context, model, rows)


_RECORD = """
INSERT INTO accounts_importchange AS c (workspace_id, source_import_id, "table", object_id, before, after)
SELECT %s, %s, %s, g.object_id, g.before, g.after FROM unnest(%s::bigint[], %s::jsonb[], %s::jsonb[])
       AS g(object_id, before, after)
ON CONFLICT (workspace_id, source_import_id, "table", object_id) DO UPDATE
SET before = CASE WHEN c.before IS NULL THEN NULL ELSE excluded.before || c.before END,
    after = c.after || excluded.after
"""


def _record(
    context: ImportContext, model: type[models.Model], rows: Sequence[tuple[int, Any, Mapping[str, Any]]]
) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD,
            [
                current_workspace_id(),
                context.source_import.pk,
                model._meta.db_table,
                [row[0] for row in rows],
                [None if row[1] is None else json.dumps(row[1]) for row in rows],
                [json.dumps(row[2]) for row in rows],
            ],
        )


def stored(value: Any) -> Any:
    """A field's value as the log keeps it and compares it."""
    return value.isoformat() if isinstance(value, date | datetime) else value
