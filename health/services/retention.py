"""What of usage and measures may go after a time: details and days, never counts."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from cs_platform.lib.scoping import current_workspace_id
from health.models import AccountSnapshot


def empty_event_properties(before: datetime, limit: int) -> int:
    """Properties of old events go. The events stay: a late one recomputes its whole day from them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE health_event SET properties = NULL WHERE (workspace_id, occurred_at, message_hash) IN"
            " (SELECT workspace_id, occurred_at, message_hash FROM health_event"
            " WHERE workspace_id = %s AND occurred_at < %s AND properties IS NOT NULL"
            " ORDER BY occurred_at LIMIT %s)",
            [current_workspace_id(), before, limit],
        )
        return int(cursor.rowcount)


def drop_snapshots(before: datetime, limit: int) -> int:
    """Daily measures of long ago; scores, predictions and outcomes stay."""
    rows = AccountSnapshot.objects.filter(as_of__lt=before.date()).order_by("as_of")
    ids = list(rows.values_list("pk", flat=True)[:limit])
    return int(AccountSnapshot.objects.filter(pk__in=ids).delete()[0])
