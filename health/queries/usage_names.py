"""What is used: event names of the last 90 days, and use that found no account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from cs_platform.lib.scoping import current_workspace_id
from health.models import KeyFeature, UnattributedUser

WINDOW_DAYS = 90
NAMES_SHOWN = 200
# First per account and then per name: counting distinct accounts would sort every row.
_NAMES = """
SELECT name, sum(events), count(*) AS accounts, max(last_on)
FROM (
    SELECT name, account_id, sum(events) AS events, max(day) AS last_on FROM health_usagerollup
    WHERE workspace_id = %(workspace)s AND day >= %(first)s GROUP BY name, account_id
) used
GROUP BY name ORDER BY accounts DESC, name LIMIT %(most)s
"""


@dataclass(frozen=True)
class EventName:
    name: str
    events: int
    accounts: int
    last_on: date | None
    is_key: bool


def event_names(until: date) -> list[EventName]:
    """Names by number of accounts; marked ones are listed even when nobody uses them."""
    values: dict[str, Any] = {
        "workspace": current_workspace_id(),
        "first": until - timedelta(days=WINDOW_DAYS),
        "most": NAMES_SHOWN,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, values)
        rows = cursor.fetchall()
    marked = set(KeyFeature.objects.values_list("name", flat=True))
    found = [
        EventName(name, int(events), accounts, last_on, name in marked)
        for name, events, accounts, last_on in rows
    ]
    unused = marked - {row.name for row in found}
    return (
        [row for row in found if row.is_key]
        + [EventName(n, 0, 0, None, True) for n in sorted(unused)]
        + [row for row in found if not row.is_key]
    )


def unattributed_users() -> Any:
    """Raw keys without an account, the busiest first."""
    return UnattributedUser.objects.filter(has_account=False).order_by("-events", "pk")[:NAMES_SHOWN]
