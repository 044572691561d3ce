"""The one way in for events: checked, attributed, stored once, with the cells that they touch.

Row-level security refuses COPY into the table itself, hence a temporary stage that empties itself on
commit (for 100 events already cheaper than arrays as parameters), and one statement from there
that also writes the IntakeBatch and what waits for a mapping.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection, transaction

from accounts.models import Workspace
from cs_platform.lib.scoping import current_workspace_id
from health.intake import limits
from health.intake.rows import BadField, EventRow, Rejection, StoredRow, checked
from health.services import events_sql as sql
from health.services.attribution import look_up
from health.services.erased_people import under_tombstones
from health.services.fold_requests import request_fold

CHUNK = 20_000
_LINES = 1_000


@dataclass
class StoreResult:
    """`stored` + `duplicates` + `len(rejected)` = rows given."""

    stored: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)


def store_events(
    rows: Iterable[EventRow | tuple[Any, ...]],
    *,
    received_at: datetime,
    source: str,
    source_import_id: int | None = None,
) -> StoreResult:
    """Store what is good in `rows`, in the running scope; durable when its transaction commits.

    An event that is there already (workspace, time, message id) counts as a duplicate and changes
    nothing. Rows may come from any iterable, also a long one; good rows are kept beside bad ones.
    """
    result = StoreResult()
    about = _about() | {"received_at": received_at, "source": source, "import": source_import_id}
    stream = enumerate(rows)
    with transaction.atomic():
        while chunk := list(islice(stream, CHUNK)):
            with _collector_resting():
                good = _good_rows(chunk, received_at, result.rejected)
                stored = _store(good, about) if good else 0
            result.stored += stored
            result.duplicates += len(good) - stored
        if result.stored:
            request_fold()
    return result


@contextmanager
def _collector_resting() -> Iterator[None]:
    """A chunk is many small tuples without cycles; looking for cycles in them would take a third of its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def store_checked(rows: Sequence[StoredRow], *, received_at: datetime, source: str) -> StoreResult:
    """As store_events, for at most one chunk of rows that have been checked."""
    if not rows:
        return StoreResult()
    about = _about() | {"received_at": received_at, "source": source, "import": None}
    with transaction.atomic():
        stored = _store(rows, about)
        if stored:
            request_fold()
    return StoreResult(stored, len(rows) - stored)


def _good_rows(
    chunk: Sequence[tuple[int, tuple[Any, ...]]], received_at: datetime, rejected: list[Rejection]
) -> list[StoredRow]:
    latest = received_at + limits.AHEAD
    good = []
    for index, row in chunk:
        try:
            good.append(checked(row, latest=latest))
        except BadField as problem:
            rejected.append(Rejection(index, problem.field, problem.reason))
    return good


def _store(rows: Sequence[StoredRow], about: dict[str, Any]) -> int:
    rows = under_tombstones(rows)
    with connection.cursor() as cursor:
        _fill_stage(cursor, rows)
        cursor.execute(sql.STORE, about)
        stored = int(cursor.fetchone()[0])
        # A transaction may store more than once. Truncating a few rows costs more than deleting them.
        cursor.execute("TRUNCATE event_stage" if len(rows) > 1_000 else "DELETE FROM event_stage")
    return stored


def _fill_stage(cursor: Any, rows: Sequence[StoredRow]) -> None:
    """COPY in text form, put together here: much cheaper than one call of the driver per row."""
    pairs = {(row.user_key, row.group_key) for row in rows}
    directory = look_up(pairs)
    owners = {pair: directory.owner(*pair) for pair in pairs}
    lines = (_line(row, *owners[row.user_key, row.group_key]) for row in rows)
    cursor.execute(sql.STAGE)
    with cursor.copy(f"COPY event_stage ({sql.NAMES}) FROM STDIN (NULL '')") as copy:
        while part := "".join(islice(lines, _LINES)):
            copy.write(part)  # the server reads it while the next part is put together


def _line(row: StoredRow, account_id: int | None, contact_id: int | None) -> str:
    """One row of COPY's text form, in the order of the stage's columns. NUL, which no text holds, marks the tabs."""
    occurred_at, digest, quantity, name, user_key, group_key, properties = row
    texts = f"{name}\0{user_key}\0{group_key}\0{properties or ''}".replace("\\", "\\\\").replace("\t", "\\t")
    texts = texts.replace("\n", "\\n").replace("\r", "\\r").replace("\0", "\t")
    return (
        f"{occurred_at}\t\\\\x{digest.hex()}\t{quantity!r}\t{account_id or ''}\t{contact_id or ''}\t{texts}\n"
    )


def remove_events_of_import(import_id: int) -> int:
    """Delete what an import stored and mark the cells that it touched; returns how many events went."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.REMOVE, _about() | {"import": import_id})
        removed = int(cursor.fetchone()[0])
        cursor.execute(sql.FORGET, _about())
        if removed:
            request_fold()
    return removed


def _about() -> dict[str, Any]:
    workspace = current_workspace_id()
    zone = Workspace.objects.values_list("time_zone", flat=True).get(pk=workspace)
    return {"workspace": workspace, "zone": zone}
