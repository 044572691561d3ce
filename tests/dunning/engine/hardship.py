"""What a drainer goes through, and what it sees: it dies right after a commit or an answer, stands still before its
result is written, and notes what must never be. Switched on by the environment, in the drainers' process only.
"""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from typing import Any

DIE, FREEZE, NOTES = "DRAINER_DIE", "DRAINER_FREEZE", "DRAINER_NOTES"


def install() -> None:
    """Shares of `DIE` and `FREEZE`; whatever is seen goes into the folder `NOTES`, one file for each kind."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    from accounts.services import billing_order_running, jobs

    die, freeze = float(os.environ.get(DIE, "0")), float(os.environ.get(FREEZE, "0"))
    commit, claim = BaseDatabaseWrapper._commit, jobs.claim
    act, settle = billing_order_running.act, billing_order_running.settle
    chosen: dict[str, Any] = {}

    def committed(self: Any) -> Any:
        answer = commit(self)
        _perish(die)
        return answer

    def claimed(**kwargs: Any) -> Any:
        lease = claim(**kwargs)
        _perish(die if lease else 0)
        return lease

    def acted(gateway: Any, request: Any) -> Any:
        from django.db import connection
        from psycopg.pq import TransactionStatus

        status = connection.connection.info.transaction_status  # as the server said last
        if status != TransactionStatus.IDLE:
            note("a transaction was open during a call")
        if chosen.get(request.key, request.parameters) != request.parameters:
            note("a key was sent with other words")
        chosen[request.key] = request.parameters
        try:
            return act(gateway, request)
        finally:
            _perish(die)
            if random.random() < freeze:
                note("stood still", must_not=False)
                os.kill(os.getpid(), signal.SIGSTOP)

    def settled(order: Any, *args: Any, **kwargs: Any) -> Any:
        if f":{os.getpid()}:" not in _owner(order.pk):
            note("a result was written by who had lost the lease")
        return settle(order, *args, **kwargs)

    BaseDatabaseWrapper._commit = committed
    jobs.claim = claimed
    billing_order_running.act, billing_order_running.settle = acted, settled


def _perish(share: float) -> None:
    if share and random.random() < share:
        note("died", must_not=False)
        os.kill(os.getpid(), signal.SIGKILL)


def _owner(order_id: int) -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lease_owner FROM accounts_job WHERE kind = 'accounts.billing_order' AND object_id = %s",
            [order_id],
        )
        row = cursor.fetchone()
    return row[0] if row else ""


def note(what: str, *, must_not: bool = True) -> None:
    """One line more about it; `must_not`: a sound drainer never has to say it."""
    if folder := os.environ.get(NOTES):
        with open(Path(folder) / f"{'!' if must_not else ''}{what}", "ab") as file:
            file.write(b".")


def noted(folder: Path) -> dict[str, int]:
    """How often each thing was noted."""
    return {file.name: file.stat().st_size for file in folder.iterdir()}
