"""How fast a key may ask: the generic cell rate algorithm over one row per key, on the database's clock.

One statement decides and counts, so that all web processes on all machines share one limit. The commit
does not wait for the disk: after a crash of the database a key may have asked a little more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from accounts.models import ApiKey
from cs_platform.lib.scoping import workspace_scope

WINDOW_SECONDS = 60

_SPEND = """
INSERT INTO accounts_apipace AS p (workspace_id, key_id, full_at)
VALUES (%(workspace)s, %(key)s, clock_timestamp() + make_interval(secs => %(step)s))
ON CONFLICT (workspace_id, key_id) DO UPDATE
SET full_at = greatest(p.full_at, clock_timestamp()) + make_interval(secs => %(step)s)
WHERE greatest(p.full_at, clock_timestamp()) + make_interval(secs => %(step)s)
      <= clock_timestamp() + make_interval(secs => %(window)s)
RETURNING extract(epoch FROM full_at - clock_timestamp())
"""
_LEFT = """
SELECT extract(epoch FROM full_at - clock_timestamp()) FROM accounts_apipace
WHERE workspace_id = %(workspace)s AND key_id = %(key)s
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """Where a key stands. `reset` seconds until it has all its requests again; `wait` > 0 = not now."""

    limit: int
    remaining: int
    reset: int
    wait: int = 0

    def headers(self) -> dict[str, str]:
        """As the IETF draft on rate limit headers names them; Retry-After only with a refusal."""
        found = {
            "RateLimit-Policy": f"{self.limit};w={WINDOW_SECONDS}",
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }
        return found | ({"Retry-After": str(self.wait)} if self.wait else {})


def spend(key: ApiKey) -> Pace:
    """Count one request of the key; a refused one is not counted."""
    limit = settings.API_REQUESTS_PER_MINUTE
    step = WINDOW_SECONDS / limit
    values = {"workspace": key.workspace.pk, "key": key.pk, "step": step, "window": WINDOW_SECONDS}
    with workspace_scope(key.workspace.pk), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")
        cursor.execute(_SPEND, values)
        row = cursor.fetchone()
        if row is not None:
            used = float(row[0])
            return Pace(limit, max(0, int((WINDOW_SECONDS - used) / step)), math.ceil(max(0.0, used)))
        cursor.execute(_LEFT, values)
        used = float(cursor.fetchone()[0])
        return Pace(limit, 0, math.ceil(used), max(1, math.ceil(used + step - WINDOW_SECONDS)))
