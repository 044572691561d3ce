"""Why customers left: reasons of the ends that took their last MRR."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from accounts.models import EndedCause, Subscription

UNPAID = "unpaid"
NOT_GIVEN = ""


def reasons_by_account(account_ids: Sequence[int], *, start: datetime, end: datetime) -> dict[int, str]:
    """The reason of each account's last end in [start, end): a cancellation reason, "unpaid" or "" for none; one query."""
    rows = (
        Subscription.objects.filter(
            Q(account_id__in=list(account_ids)), ended_at__gte=start, ended_at__lt=end
        )
        .order_by("ended_at", "pk")
        .values_list("account_id", "ended_reason", "ended_cause")
    )
    return {
        account: reason or (UNPAID if cause == EndedCause.INVOLUNTARY else NOT_GIVEN)
        for account, reason, cause in rows
    }
