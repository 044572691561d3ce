"""One read answers all messages about its object that came before it: their closing, and the wait for a read that is on."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.utils import timezone

from accounts.registry import billing_readers
from accounts.services.billing_inbox import MESSAGE_JOB
from accounts.services.jobs import Lease
from cs_platform.lib.scoping import current_workspace_id

UPDATED_BY_NETWORK = "payment_method.automatically_updated"
# The older job goes on, so that of two that look at once just one waits.
_READ_BY_OTHERS = """
SELECT FROM accounts_billingmessage m
JOIN accounts_job j ON j.workspace_id = m.workspace_id AND j.object_id = m.id
WHERE m.workspace_id = %s AND m.object_id = %s AND m.processed_at IS NULL AND m.parked_at IS NULL
  AND j.kind = %s AND j.id < %s AND j.lease_until > clock_timestamp() LIMIT 1
"""
_CLOSE_ANSWERED = """
WITH answered AS (
    SELECT m.id FROM accounts_billingmessage m
    JOIN unnest(%(ids)s::text[], %(moments)s::timestamptz[]) AS read (id, at) ON m.object_id = read.id
    WHERE m.workspace_id = %(workspace)s AND m.received_at < read.at AND m.processed_at IS NULL
      AND m.parked_at IS NULL AND NOT m.message_type LIKE ANY (%(special)s)
    FOR UPDATE OF m SKIP LOCKED
), closed AS (
    UPDATE accounts_billingmessage m SET processed_at = %(now)s, body = NULL, last_error = ''
    FROM answered WHERE m.id = answered.id RETURNING m.id
), over AS (
    SELECT j.id FROM accounts_job j JOIN closed ON j.object_id = closed.id
    WHERE j.workspace_id = %(workspace)s AND j.kind = %(kind)s AND j.lease_until IS NULL
    FOR UPDATE OF j SKIP LOCKED
)
DELETE FROM accounts_job j USING over WHERE j.id = over.id
"""


def is_read_now(lease: Lease, object_id: str) -> bool:
    """Whether another worker is at a message about the same object, whose read may well answer this one. Messages of
    one change come within a second; each read costs calls, of which there are few."""
    with connection.cursor() as cursor:
        cursor.execute(_READ_BY_OTHERS, [lease.workspace_id, object_id, MESSAGE_JOB, lease.job_id])
        return cursor.fetchone() is not None


def close_answered(read_at: dict[str, datetime]) -> None:
    """What came before these reads began, about the same objects, is answered by them: no job has to find that out
    one by one. Whoever works on one of them just now is left alone."""
    special = [UPDATED_BY_NETWORK, *(f"{reader.name}%" for reader in billing_readers)]
    with connection.cursor() as cursor:
        cursor.execute(
            _CLOSE_ANSWERED,
            {
                "workspace": current_workspace_id(),
                "ids": list(read_at),
                "moments": list(read_at.values()),
                "special": special,
                "now": timezone.now(),
                "kind": MESSAGE_JOB,
            },
        )
