"""What is used: event names of the last 90 days, and use that found no account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Max, Sum

from health.models import KeyFeature, UnattributedUser, UsageRollup

WINDOW_DAYS = 90
NAMES_SHOWN = 200


@dataclass(frozen=True)
class EventName:
    name: str
    events: int
    accounts: int
    last_on: date | None
    is_key: bool


def event_names(until: date) -> list[EventName]:
    """Names by number of accounts; marked ones are listed even when nobody uses them."""
    rows = (
        UsageRollup.objects.filter(day__gte=until - timedelta(days=WINDOW_DAYS))
        .values("name")
        .annotate(events=Sum("events"), accounts=Count("account_id", distinct=True), last_on=Max("day"))
        .order_by("-accounts", "name")[:NAMES_SHOWN]
    )
    marked = set(KeyFeature.objects.values_list("name", flat=True))
    found = [
        EventName(row["name"], row["events"], row["accounts"], row["last_on"], row["name"] in marked)
        for row in rows
    ]
    unused = marked - {row.name for row in found}
    return (
        [row for row in found if row.is_key]
        + [EventName(n, 0, 0, None, True) for n in sorted(unused)]
        + [row for row in found if not row.is_key]
    )


def unattributed_users() -> Any:
    """Raw keys without an account, the busiest first."""
    return UnattributedUser.objects.filter(has_account=False).order_by("-events", "pk")[:NAMES_SHOWN]
