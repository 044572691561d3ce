"""Who is told when a sequence stops for a person to look."""

from __future__ import annotations

from datetime import datetime

from accounts.services.notifications import notify_admins
from health.models import Sequence

PAUSED_KIND = "health.sequence_paused"


def tell_of_pause(sequence: Sequence, *, now: datetime) -> None:
    """The daily cap closed the door: tell owners and admins, once per pause."""
    notify_admins(
        kind=PAUSED_KIND,
        cause_key=f"{sequence.pk}:{now.isoformat()}",
        context={
            "sequence": str(sequence.public_id),
            "name": sequence.name,
            "waiting": sequence.waiting_accounts,
        },
        now=now,
    )
