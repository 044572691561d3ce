"""Claim, lease, fence: how work written as rows gets done, whoever dies meanwhile.

1. Claim: one conditional UPDATE with SKIP LOCKED sets a lease and an owner (committed).
2. Run the handler; long handlers extend their lease and fence each of their transactions.
3. Finish: delete the row where it is still ours, in the transaction of the effect, or put it off there.
Leases and due times are the database's clock. Redis only says "look".
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import connection

from accounts.registry import JobKind, job_kinds
from cs_platform.lib.prepared import prepared_statements
from cs_platform.lib.registry import UnknownName
from cs_platform.lib.scoping import workspace_scope

log = structlog.get_logger(__name__)

_CLAIM = """
UPDATE accounts_job SET lease_until = clock_timestamp() + %(lease)s, lease_owner = %(owner)s,
       attempts = attempts + 1, is_rerun_wanted = false
WHERE id = (
    SELECT id FROM accounts_job
    WHERE parked_at IS NULL AND due_at <= clock_timestamp()
      AND (lease_until IS NULL OR lease_until < clock_timestamp())
      AND NOT (kind = ANY(%(outside)s) AND EXISTS (SELECT 1 FROM accounts_workspace w
               WHERE w.id = accounts_job.workspace_id AND w.outside_held_since IS NOT NULL))
      AND (%(kind)s::text IS NULL OR kind = %(kind)s)
      AND (%(workspace)s::bigint IS NULL OR workspace_id = %(workspace)s)
    ORDER BY priority, due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, workspace_id, kind, object_id, attempts
"""
_CLAIM_LEASE = timedelta(seconds=60)


class LostLease(RuntimeError):
    """The lease ran out and somebody else may work on the job: stop, write nothing."""


class ComeBack(Exception):
    """Nothing failed, but it is not time yet: run the job again after `delay`. Of a handler that runs
    inside the scope nothing it wrote is kept."""

    def __init__(self, delay: timedelta) -> None:
        super().__init__()
        self.delay = delay


@dataclass
class Lease:
    """A claimed job. `hold()` inside each transaction that writes; `extend()` between them.

    A handler that opens its own scopes may end the job in its last transaction: `finish()` or `put_off()`.
    """

    job_id: int
    workspace_id: int
    kind: str
    object_id: int
    attempts: int
    owner: str
    is_over: bool = False

    def hold(self) -> None:
        """Lock the job's row for this transaction, or raise LostLease."""
        with prepared_statements(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM accounts_job WHERE id = %s AND lease_owner = %s FOR UPDATE",
                [self.job_id, self.owner],
            )
            if cursor.fetchone() is None:
                raise LostLease(self.kind)

    def extend(self, by: timedelta) -> None:
        """Prolong the lease from now; raises LostLease when somebody else has it."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE accounts_job SET lease_until = clock_timestamp() + %s WHERE id = %s AND lease_owner = %s",
                _parameters(by, self.job_id, self.owner),
            )
            if cursor.rowcount != 1:
                raise LostLease(self.kind)

    def finish(self) -> None:
        """Done: commit it with the effect. Somebody who asked for another run meanwhile gets it."""
        self._end(_FINISH, _parameters(self.job_id, self.owner))

    def put_off(self, delay: timedelta) -> None:
        """Due again after the delay, or at once when somebody asked for it meanwhile; attempts start anew."""
        self._end(_PUT_OFF, _parameters(delay, self.job_id, self.owner))

    def _end(self, statement: str, values: list[Any]) -> None:
        with prepared_statements(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            if cursor.rowcount != 1:
                raise LostLease(self.kind)
        self.is_over = True


# One statement each: who is not inside a transaction needs none.
_PUT_OFF = (
    "UPDATE accounts_job SET lease_until = NULL, lease_owner = '', attempts = 0, is_rerun_wanted = false,"
    " due_at = clock_timestamp() + CASE WHEN is_rerun_wanted THEN interval '0' ELSE %s END"
    " WHERE id = %s AND lease_owner = %s"
)
_FINISH = """
MERGE INTO accounts_job j USING (SELECT %s::bigint AS id, %s AS owner) mine
ON j.id = mine.id AND j.lease_owner = mine.owner
WHEN MATCHED AND NOT j.is_rerun_wanted THEN DELETE
WHEN MATCHED THEN UPDATE SET is_rerun_wanted = false, lease_until = NULL, lease_owner = '', attempts = 0
"""


def claim(*, kind: str | None = None, workspace_id: int | None = None) -> Lease | None:
    """Take the most urgent due job, or None when there is none."""
    owner = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(8)}"
    with prepared_statements(), connection.cursor() as cursor:
        values: dict[str, Any] = {
            "lease": _CLAIM_LEASE,
            "owner": owner,
            "kind": kind,
            "workspace": workspace_id,
            "outside": [known.name for known in job_kinds if known.is_outside],
        }
        cursor.execute(_CLAIM, values)
        row = cursor.fetchone()
    if row is None:
        return None
    return Lease(
        job_id=row[0], workspace_id=row[1], kind=row[2], object_id=row[3], attempts=row[4], owner=owner
    )


def run_due_jobs(
    *,
    limit: int,
    kind: str | None = None,
    workspace_id: int | None = None,
    keep_on: Callable[[], bool] = lambda: True,
) -> int:
    """Run up to `limit` due jobs one after the other; returns how many were run."""
    done = 0
    while done < limit and keep_on():
        lease = claim(kind=kind, workspace_id=workspace_id)
        if lease is None:
            break
        run(lease)
        done += 1
    return done


def run(lease: Lease) -> None:
    """Run one claimed job; errors push it ahead, too many park it. Never raises for a handler's error."""
    try:
        kind = job_kinds.get(lease.kind)
    except UnknownName:
        _fail(lease, "unknown job kind", park=True)
        return
    if lease.attempts > kind.max_attempts:
        _fail(lease, "its worker died or it failed too often", park=True)
        return
    try:
        _execute(kind, lease)
    except ComeBack as later:
        _come_back(lease, later.delay)
    except LostLease:
        log.warning("job.lease_lost", kind=lease.kind, object_id=lease.object_id)
    except Exception as error:
        log.exception("job.failed", kind=lease.kind, object_id=lease.object_id, attempts=lease.attempts)
        _fail(lease, type(error).__name__, park=lease.attempts >= kind.max_attempts, kind=kind)


def _execute(kind: JobKind, lease: Lease) -> None:
    with prepared_statements() if kind.is_prepared else nullcontext():
        _run_handler(kind, lease)


def _run_handler(kind: JobKind, lease: Lease) -> None:
    if kind.lease != _CLAIM_LEASE:
        lease.extend(kind.lease)
    if kind.in_scope:
        with workspace_scope(lease.workspace_id):
            kind.handler(lease.object_id)
            lease.finish()
    else:
        kind.handler(lease)
        if not lease.is_over:
            lease.finish()


def _parameters(*values: Any) -> list[Any]:
    """Django's stubs do not know that psycopg takes intervals."""
    return list(values)


def _come_back(lease: Lease, delay: timedelta) -> None:
    try:
        lease.put_off(delay)
    except LostLease:
        log.warning("job.lease_lost", kind=lease.kind, object_id=lease.object_id)


def _fail(lease: Lease, reason: str, *, park: bool, kind: JobKind | None = None) -> None:
    wait = kind.retry_after * 2 ** min(lease.attempts - 1, 8) if kind else timedelta(0)
    if park:
        log.error("job.parked", kind=lease.kind, object_id=lease.object_id, reason=reason)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_job SET lease_until = NULL, lease_owner = '', last_error = %s,"
            " due_at = clock_timestamp() + %s, parked_at = CASE WHEN %s THEN clock_timestamp() END"
            " WHERE id = %s AND lease_owner = %s",
            _parameters(reason[:200], wait, park, lease.job_id, lease.owner),
        )
