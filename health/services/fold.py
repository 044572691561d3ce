"""From events to daily rollups: touched (account, day) cells are recomputed whole.

Adding deltas would count a replay twice; a recomputed cell is the same however often, however
late and in whatever order its events came. One transaction takes batches, redoes their cells and
deletes the batches; an advisory lock lets one fold of a workspace run at a time.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from accounts.models import Workspace
from accounts.services.jobs import Lease
from cs_platform.lib.scoping import current_workspace_id, workspace_scope
from cs_platform.lib.staging import MANY, planned_for
from health.services import fold_sql as sql
from health.services.attribution import attribute_pending
from health.services.fold_requests import wait_for_requests
from health.services.identities import settle_waiting_identities

CELLS_PER_CHUNK = 200_000
# Reading so many rows of the touched days costs no more than looking one cell up. Where the cells are so dense, their
# days are read whole: while the statistics do not know a workspace, each look-up may read its whole day.
ROWS_PER_CELL = 50
_LEASE = timedelta(seconds=300)


def fold_pending(*, limit: int = 1_000) -> int:
    """Attribute what has become known, then fold up to `limit` batches; returns the cells redone.

    0 means that nothing is left. Runs in the scope's transaction; a chunk ends at 200,000 cells.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.LOCK, [sql.LOCK_NUMBER, current_workspace_id() % 2_147_483_647])
        settle_waiting_identities()
        attribute_pending()
        cells = 0
        while not cells and _take(cursor, limit):
            cells = _fold_taken(cursor)
        return cells


def fold_workspace(workspace_id: int) -> int:
    """Fold until nothing is left, a transaction per chunk; call it outside of a scope. Returns the cells redone."""
    total = 0
    while True:
        with workspace_scope(workspace_id):
            cells = fold_pending()
        if not cells:
            return total
        total += cells


def run_fold_job(lease: Lease) -> None:
    """The job "health.fold". Needs no fence: folding is idempotent and one at a time by its lock."""
    wait_for_requests(lease.workspace_id)
    while True:
        with workspace_scope(lease.workspace_id):
            if not fold_pending():
                return
        lease.extend(_LEASE)


def refold_everything() -> None:
    """Mark every cell of the workspace, old and new ones: needed after its time zone has changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql.MARK_EVERYTHING, _parameters())


def _take(cursor: Any, limit: int) -> int:
    """Claim batches into the temporary table of cells; returns how many batches there were."""
    cursor.execute(sql.TEMPORARY_TABLES)
    cursor.execute(sql.TAKE, _parameters() | {"limit": limit, "most": CELLS_PER_CHUNK})
    return int(cursor.fetchone()[0])


def _fold_taken(cursor: Any) -> int:
    parameters = _parameters()
    cursor.execute("ANALYZE fold_cells")
    cursor.execute(sql.SIZE, parameters)
    cells, days, accounts = cursor.fetchone()
    parameters["days"] = days or []
    is_dense = cells >= MANY and cells * ROWS_PER_CELL >= accounts * len(parameters["days"])
    with planned_for(cursor, cells):
        return _fold_cells(cursor, parameters, sql.DENSE if is_dense else sql.SPARSE)


def _fold_cells(cursor: Any, parameters: dict[str, Any], rows_of: str) -> int:
    """`rows_of`: the way to the rows of a table in the cells."""
    account_days = rows_of.format(table="health_accountday", which="c.existed")
    rollups = rows_of.format(table="health_usagerollup", which="c.existed")
    cursor.execute(sql.DROP_DELETED, parameters)
    found = rows_of.format(table="health_accountday", which="true")
    cursor.execute(sql.EXISTED.format(found=found), parameters)
    cursor.execute("ANALYZE fold_cells")
    cursor.execute(sql.READ_USAGE, parameters)
    cursor.execute("ANALYZE fold_usage")
    _remove(cursor, "health_usagerollup", sql.ROLLUPS_GONE.format(found=rollups), parameters)
    _remove(cursor, "health_accountday", sql.ACCOUNT_DAYS_GONE.format(found=account_days), parameters)
    for statement in sql.WRITE:
        cursor.execute(statement, parameters)
    _remove(cursor, "health_contactdays", sql.CONTACT_DAYS_GONE, parameters)
    cursor.execute("SELECT count(*) FROM fold_cells")
    return int(cursor.fetchone()[0])


def _remove(cursor: Any, table: str, which: str, parameters: dict[str, Any]) -> None:
    """Delete by id: however little the statistics know, an id is looked up by its key."""
    cursor.execute(which, parameters)
    if ids := [row[0] for row in cursor.fetchall()]:
        cursor.execute(sql.DELETE.format(table=table), parameters | {"ids": ids})


def _parameters() -> dict[str, Any]:
    workspace_id = current_workspace_id()
    zone = Workspace.objects.values_list("time_zone", flat=True).get(pk=workspace_id)
    return {"workspace": workspace_id, "zone": zone}
