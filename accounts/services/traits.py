"""Traits: columns of an account that the workspace brought along, typed and dated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import AccountTrait, TraitDefinition
from accounts.services.import_rows import ImportContext, record_created, record_updated
from cs_platform.lib.scoping import current_workspace_id

MAX_KEY = 100
MAX_TEXT = 1000

Value = tuple[int, int, str, float | None]

# The value in force at the moment of the new one; only a different value makes a row. Found once
# for all accounts: a look-up per value is planned as a scan per value while the table is new.
_WRITE = """
WITH held AS MATERIALIZED (
    SELECT DISTINCT ON (account_id, definition_id) account_id, definition_id, value_text, value_number
    FROM accounts_accounttrait
    WHERE workspace_id = %(workspace)s AND account_id = ANY(%(accounts)s::bigint[])
      AND (known_at IS NULL OR known_at <= %(later)s)
    ORDER BY account_id, definition_id, known_at DESC NULLS LAST
)
INSERT INTO accounts_accounttrait AS t
       (workspace_id, account_id, definition_id, value_text, value_number, known_at, source_import_id)
SELECT %(workspace)s, g.account_id, g.definition_id, g.value_text, g.value_number,
       CASE WHEN h.account_id IS NULL THEN %(first)s::timestamptz ELSE %(later)s::timestamptz END, %(import)s
FROM unnest(%(given)s::bigint[], %(definitions)s::bigint[], %(texts)s::text[], %(numbers)s::float8[])
     AS g(account_id, definition_id, value_text, value_number)
LEFT JOIN held h ON h.account_id = g.account_id AND h.definition_id = g.definition_id
WHERE h.account_id IS NULL OR CASE WHEN g.value_number IS NULL OR h.value_number IS NULL
      THEN h.value_text <> g.value_text ELSE h.value_number <> g.value_number END
ON CONFLICT (workspace_id, account_id, definition_id, known_at) DO UPDATE
SET value_text = excluded.value_text, value_number = excluded.value_number
RETURNING t.account_id
"""


def write_traits(
    values: Iterable[Value],
    *,
    first_known_at: datetime | None,
    known_at: datetime,
    import_id: int | None = None,
) -> set[int]:
    """Add (account id, definition id, text, number) values that differ from what held at `known_at`.

    The first value of an account's trait gets `first_known_at` (None = known since the account
    began), later ones `known_at`. Returns the accounts that got a new value.
    """
    rows = list(values)
    if not rows:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "workspace": current_workspace_id(),
                "first": first_known_at,
                "later": known_at,
                "import": import_id,
                "accounts": sorted({row[0] for row in rows}),
                "given": [row[0] for row in rows],
                "definitions": [row[1] for row in rows],
                "texts": [row[2] for row in rows],
                "numbers": [row[3] for row in rows],
            },
        )
        return {row[0] for row in cursor.fetchall()}


def import_traits(context: ImportContext, extras: Mapping[int, Mapping[str, Any]]) -> set[int]:
    """Write the trait columns of a chunk: {account id: {column: (text, number)}}."""
    definitions = _definitions(context)
    values = [
        (account_id, definitions[column].pk, text, None if definitions[column].kind == "text" else number)
        for account_id, columns in extras.items()
        for column, (text, number) in columns.items()
    ]
    if context.known_at is not None:
        _log_overwritten(context, values)
    return write_traits(
        values,
        first_known_at=context.known_at,
        known_at=context.known_at or context.now,
        import_id=context.source_import.pk,
    )


def define_traits(
    kinds: Mapping[str, str], *, is_dated: bool
) -> tuple[dict[str, TraitDefinition], list[int]]:
    """Definitions by key, made where they are missing (their ids are the second value).

    A trait that gets values of two types is text from then on; text never narrows.
    """
    wanted = {key: kind for key, kind in kinds.items() if kind != "empty"}
    found = {row.key: row for row in TraitDefinition.objects.filter(key__in=wanted)}
    fresh = [
        TraitDefinition(key=key, label=key, kind=kind, is_dated=is_dated)
        for key, kind in wanted.items()
        if key not in found
    ]
    TraitDefinition.objects.bulk_create(fresh)
    for key, row in found.items():
        if row.kind not in (wanted[key], "text"):
            _widen(row)
        if row.is_dated and not is_dated:
            row.is_dated = False
            row.save(update_fields=["is_dated"])
    return {**found, **{row.key: row for row in fresh}}, [row.pk for row in fresh]


def _definitions(context: ImportContext) -> dict[str, TraitDefinition]:
    if "traits" not in context.cache:
        definitions, created = define_traits(context.kinds, is_dated=context.known_at is not None)
        record_created(context, TraitDefinition, created)
        context.cache["traits"] = definitions
    cached: dict[str, TraitDefinition] = context.cache["traits"]
    return cached


def _widen(definition: TraitDefinition) -> None:
    definition.kind = "text"
    definition.save(update_fields=["kind"])
    AccountTrait.objects.filter(definition=definition).update(value_number=None)


def _log_overwritten(context: ImportContext, values: Iterable[Value]) -> None:
    """A file dated like an earlier one replaces its values; undo must find them again."""
    new = {(row[0], row[1]): row for row in values}
    rows = AccountTrait.objects.filter(known_at=context.known_at, account_id__in={key[0] for key in new})
    changes = []
    for row in rows:
        value = new.get((row.account_id, row.definition_id))
        if value and (row.value_text, row.value_number) != value[2:]:
            texts = (row.value_text, value[2])
            changes.append((row.pk, {"value_text": texts, "value_number": (row.value_number, value[3])}))
    record_updated(context, AccountTrait, changes)
