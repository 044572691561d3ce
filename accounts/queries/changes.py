"""Up to when the change times of mirrored rows are complete."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from cs_platform.lib.scoping import current_workspace_id


def settled_until() -> datetime:
    """No row will ever appear with an earlier `updated_at`: writers that are still at work write later ones.

    Read the rows with another statement after this one. See `accounts/change_times.py`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT settled_until(%s)", [current_workspace_id()])
        found: datetime = cursor.fetchone()[0]
    return found
