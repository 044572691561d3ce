"""Keeps a job's lease alive while one long transaction runs, on a connection of its own.

The handler's own transaction cannot do it: what it writes is seen by nobody until it commits. A worker that is
killed or stopped takes this thread with it, so its lease runs out and another worker takes over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType

import structlog
from django.db import Error, connection, transaction

from accounts.services.jobs import Lease, LostLease
from cs_platform.lib.scoping import workspace_scope

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)


class LeaseKeeper:
    """`with LeaseKeeper(lease, beat):` calls `beat` in the workspace's scope twice a second.

    `lost`: the lease is somebody else's. `stop_wanted`: `beat` returned False. The handler asks `check()`.
    """

    def __init__(self, lease: Lease, beat: Callable[[], bool], *, every: float = 0.5) -> None:
        self._lease, self._beat, self._every = lease, beat, every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease-keeper", daemon=True)
        self.lost = self.stop_wanted = False

    def __enter__(self) -> LeaseKeeper:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def check(self) -> None:
        """Raises LostLease when the work belongs to somebody else by now."""
        if self.lost:
            raise LostLease(self._lease.kind)

    def _keep(self) -> None:
        try:
            while not self._ended.wait(self._every):
                self._once()
                if self.lost:
                    return
        finally:
            connection.close()

    def _once(self) -> None:
        try:
            with workspace_scope(self._lease.workspace_id):
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '2s'")
                if not self._beat():
                    self.stop_wanted = True
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '2s'")
                self._lease.extend(LEASE)
        except LostLease:
            self.lost = True
        except Error:  # locked for a moment, or the connection went: the next beat tries again
            log.info("lease_keeper.missed_a_beat", kind=self._lease.kind)
            connection.close_if_unusable_or_obsolete()
