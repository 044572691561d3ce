"""Keep a lease while long work runs, from a thread with its own connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from django.db import DatabaseError, connections

from accounts.services.jobs import Lease, LostLease

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)


@contextmanager
def heartbeat(lease: Lease, every: timedelta = LEASE / 3) -> Iterator[None]:
    """Extend the lease by 30 s every 10 s until the block ends.

    A stopped process stops beating, so its work is taken over; `lease.hold()` before the
    commit keeps its late writes out.
    """
    lease.extend(LEASE)
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(lease, every, stop), name="lease-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(lease: Lease, every: timedelta, stop: threading.Event) -> None:
    try:
        while not stop.wait(every.total_seconds()):
            lease.extend(LEASE)
    except (LostLease, DatabaseError):
        log.warning("job.heartbeat_ended", kind=lease.kind, object_id=lease.object_id)
    finally:
        connections.close_all()
