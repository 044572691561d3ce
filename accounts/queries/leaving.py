"""Why customers left: reasons of the ends that took their last MRR."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from accounts.models import EndedCause, Subscription
from cs_platform.lib.among import among
from cs_platform.lib.periods import microseconds

UNPAID = "unpaid"
NOT_GIVEN = ""


def reasons_of_ends(
    account_ids: Sequence[int], *, start: datetime, end: datetime
) -> dict[tuple[int, int], str]:
    """The reason of each end in [start, end) by account and instant (microseconds): a cancellation reason,
    "unpaid", or "" where none was given; one query."""
    rows = (
        Subscription.objects.filter(among("account_id", account_ids), ended_at__gte=start, ended_at__lt=end)
        .order_by("ended_at", "pk")
        .values_list("account_id", "ended_at", "ended_reason", "ended_cause")
    )
    return {
        (account, microseconds(ended_at)): reason
        or (UNPAID if cause == EndedCause.INVOLUNTARY else NOT_GIVEN)
        for account, ended_at, reason, cause in rows
    }
