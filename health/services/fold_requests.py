"""Asking for a fold, without that every request waits for the same job row.

The job's row is written only when no waiting one is there to be relied on. A shared advisory lock
until commit makes that safe: the fold waits for those who looked before it was claimed, so it
sees their batches; those who look later see its lease and put the job again.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction

from accounts.models import Job
from cs_platform.lib.scoping import current_workspace_id

FOLD = "health.fold"
DELAY = timedelta(seconds=3)

_LOCK = 7002
_WILL_RUN = """
SELECT 1 FROM accounts_job WHERE workspace_id = %s AND kind = %s AND object_id = %s AND parked_at IS NULL
    AND (lease_until IS NULL OR is_rerun_wanted)
"""


def request_fold() -> None:
    """Make sure that a fold of the running workspace comes after this transaction's commit."""
    workspace_id = current_workspace_id()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [_LOCK, _number(workspace_id)])
        cursor.execute(_WILL_RUN, [workspace_id, FOLD, workspace_id])
        if cursor.fetchone() is None:
            Job.objects.put(FOLD, workspace_id, delay=DELAY)


def wait_for_requests(workspace_id: int) -> None:
    """Return when every transaction that relied on the job before it was claimed has ended."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, _number(workspace_id)])


def _number(workspace_id: int) -> int:
    """Advisory locks with two parts take 32-bit numbers; sharing one only costs a wait."""
    return workspace_id % 2_147_483_647
