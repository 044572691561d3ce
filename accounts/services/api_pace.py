"""How fast a key may ask: the generic cell rate algorithm over one row per key, on the database's clock.

One statement decides and counts, so that all web processes on all machines share one limit. The commit
does not wait for the disk: after a crash of the database a key may have asked a little more.

What may be asked in a minute is spread over it: at once go the requests of five seconds, so that a caller who asks
without end soon takes its pace, and others who are served meanwhile hardly feel it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import connection

from accounts.models import ApiKey
from cs_platform.lib.signing import Credential

BURST_SECONDS = 5

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
    """Where a key stands: of `limit` requests in `window` seconds, `remaining` may go now, all again in `reset`
    seconds. `wait` > 0 = not now, but in so many seconds; `next_in` = so many seconds until another one may go."""

    limit: int
    window: float
    remaining: int
    reset: float
    wait: float = 0.0
    next_in: float = 0.0

    @property
    def is_greedy(self) -> bool:
        """More than a quarter of what may be asked at once is used up."""
        return self.remaining < 0.75 * self.limit

    @property
    def retry_after(self) -> int:
        """Whole seconds, as HTTP wants them."""
        return max(1, math.ceil(self.wait))

    def headers(self) -> dict[str, str]:
        """As the IETF draft on rate limit headers names them; Retry-After only with a refusal."""
        found = {
            "RateLimit-Policy": f"{self.limit};w={math.ceil(self.window)}",
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(math.ceil(max(0.0, self.reset))),
        }
        return found | ({"Retry-After": str(self.retry_after)} if self.wait else {})


class Refusals:
    """What this process remembers of the keys that may not ask yet, until their next turn: a caller who does not
    listen costs neither a connection nor a statement. Bounded; a key that is not remembered is looked up as ever."""

    MOST = 10_000

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[bytes, tuple[float, Pace]] = {}

    def remember(self, credential: Credential, pace: Pace) -> None:
        if len(self._until) >= self.MOST:
            self._until.clear()
        self._until[credential.digest] = (self._clock() + pace.next_in, pace)

    def of(self, credential: Credential) -> Pace | None:
        """The refusal as it stands now; None when the key may ask again."""
        found = self._until.get(credential.digest)
        if found is None:
            return None
        until, pace = found
        left = until - self._clock()
        if left > 0:
            return replace(pace, remaining=0, wait=left, next_in=left, reset=pace.reset - pace.next_in + left)
        self._until.pop(credential.digest, None)
        return None


refusals = Refusals()


def spend(key: ApiKey) -> Pace:
    """Count one request of the key; a refused one is not counted. Call inside the workspace's scope, and close it:
    the row is locked until then."""
    step = 60 / settings.API_REQUESTS_PER_MINUTE
    limit = max(1, int(BURST_SECONDS / step))
    window = limit * step
    values = {"workspace": key.workspace_id, "key": key.pk, "step": step, "window": window}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")
        cursor.execute(_SPEND, values)
        row = cursor.fetchone()
        if row is not None:
            used = float(row[0])
            next_in = max(0.0, used + step - window)
            return Pace(limit, window, max(0, int((window - used) / step)), used, next_in=next_in)
        cursor.execute(_LEFT, values)
        used = float(cursor.fetchone()[0])
        wait = max(0.001, used + step - window)
        return Pace(limit, window, 0, used, wait, next_in=wait)
