"""Long thought inside a transaction, announced to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

_IDLE = "SELECT set_config('idle_in_transaction_session_timeout', %s, true)"


@contextmanager
def long_thought() -> Iterator[None]:
    """Let the running transaction stand idle for as long as a task may take, while the block computes.

    Otherwise the database ends what stands idle for `IDLE_SECONDS`, as if its process were gone.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IDLE, [f"{settings.TASK_SECONDS}s"])
        yield
        cursor.execute(_IDLE, [f"{settings.IDLE_SECONDS}s"])
