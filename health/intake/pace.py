"""How fast one workspace may send: a token bucket per workspace, kept in the process."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass


@dataclass
class _Bucket:
    tokens: float
    at: float


class Pace:
    """`rate` events per second, twice that in a burst. Each web process counts for itself."""

    def __init__(self, rate: float) -> None:
        self._rate, self._most = rate, rate * 2
        self._buckets: dict[int, _Bucket] = {}
        self._lock = threading.Lock()

    def wait(self, workspace_id: int, events: int, now: float) -> int:
        """0 = go ahead, and the events are counted; else the seconds after which to try again.

        A bucket that is full lets any one request pass, so that none is refused for ever.
        """
        with self._lock:
            bucket = self._buckets.setdefault(workspace_id, _Bucket(self._most, now))
            bucket.tokens = min(self._most, bucket.tokens + (now - bucket.at) * self._rate)
            bucket.at = now
            wanted = min(events, self._most)
            if bucket.tokens < wanted:
                return max(1, math.ceil((wanted - bucket.tokens) / self._rate))
            bucket.tokens -= events
            return 0
