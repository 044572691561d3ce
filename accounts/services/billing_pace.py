"""How fast we may ask the payment provider: one queue of turns a workspace, shared by all processes.

The generic cell rate algorithm without a burst: `BillingPace.free_at` is when the next call may begin, on the
database's clock. A turn is reserved by one UPDATE; whoever gets it sleeps until it comes, outside any transaction.
"""

from __future__ import annotations

import random
import time
from datetime import timedelta

from django.db import connection

from accounts.gateways.stripe.client import READ_SECONDS, Gateway, open_gateway
from accounts.models import BillingConnection
from accounts.services.jobs import ComeBack
from cs_platform.lib.scoping import current_workspace_id, workspace_scope

LONGEST_WAIT = 2.0
# Calls leave evenly and arrive in bunches: a fifth of what is allowed stays free for that.
HEADROOM = 1.25

_RESERVE = """
UPDATE accounts_billingpace
SET free_at = greatest(free_at, clock_timestamp()) + make_interval(secs => %(apart)s)
WHERE workspace_id = %(workspace)s AND free_at <= clock_timestamp() + make_interval(secs => %(longest)s)
RETURNING extract(epoch FROM free_at - clock_timestamp()) - %(apart)s
"""
_FIRST = """
INSERT INTO accounts_billingpace (workspace_id, free_at) VALUES (%(workspace)s, '-infinity')
ON CONFLICT (workspace_id) DO NOTHING
"""


def reserve_turn(per_second: float) -> float:
    """Take the next turn of the running scope's workspace; returns the seconds until it comes.

    For who commits the reservation together with something else; nobody may sleep before that commit.
    Raises ComeBack when the turn would be more than two seconds away.
    """
    values = {
        "workspace": current_workspace_id(),
        "apart": HEADROOM / max(per_second, 0.1),
        "longest": LONGEST_WAIT,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, values)
        row = cursor.fetchone()
        if row is None:
            cursor.execute(_FIRST, values)
            cursor.execute(_RESERVE, values)
            row = cursor.fetchone()
    if row is None:
        raise ComeBack(timedelta(seconds=LONGEST_WAIT + random.uniform(0, 1)))
    return max(float(row[0]), 0.0)


def wait_for_turn(workspace_id: int, per_second: float) -> None:
    """Sleep until this call's turn has come; outside any transaction. Raises ComeBack like `reserve_turn`."""
    with workspace_scope(workspace_id), connection.cursor() as cursor:
        # Nothing else is committed here: a turn that a crash of the database forgets costs one call too early.
        cursor.execute("SET LOCAL synchronous_commit = off")
        seconds = reserve_turn(per_second)
    if seconds > 0:
        time.sleep(seconds)


def paced_gateway(connected: BillingConnection, *, read_seconds: float = READ_SECONDS) -> Gateway:
    """A gateway each of whose calls waits for its turn first."""
    workspace_id, per_second = connected.workspace_id or 0, connected.calls_per_second
    return open_gateway(
        connected, before_call=lambda: wait_for_turn(workspace_id, per_second), read_seconds=read_seconds
    )
