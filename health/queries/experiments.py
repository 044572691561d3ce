"""Who is held out of what, for the marks in the queue and on the account page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from health.models import Assignment


@dataclass(frozen=True, slots=True)
class HeldOut:
    """An account that must be left alone by one subject until its window is over."""

    account_id: int
    experiment: str
    public_id: str
    subject_type: str
    subject_id: int
    until: datetime

    @property
    def url(self) -> str:
        return reverse("health:experiment", args=[self.public_id])


def held_out_of(account: Account) -> tuple[HeldOut, ...]:
    """What one account is held out of at the moment; asked once for the several parts of its page."""
    kept: dict[str, tuple[HeldOut, ...]] = account.__dict__
    if "_held_out_of" not in kept:
        kept["_held_out_of"] = held_out([account.pk]).get(account.pk, ())
    return kept["_held_out_of"]


def held_out(account_ids: Iterable[int], *, now: datetime | None = None) -> dict[int, tuple[HeldOut, ...]]:
    """By account, what it is held out of at the moment; accounts that are free are absent. One query."""
    rows = Assignment.objects.filter(
        account_id__in=list(account_ids),
        ends_at__gt=now or timezone.now(),
        variant__is_holdout=True,
        experiment__stopped_at__isnull=True,
    ).order_by("account_id", "ends_at", "pk")
    found: dict[int, tuple[HeldOut, ...]] = {}
    for values in rows.values_list(
        "account_id",
        "experiment__name",
        "experiment__public_id",
        "experiment__subject_type",
        "experiment__subject_id",
        "ends_at",
    ):
        found[values[0]] = (*found.get(values[0], ()), HeldOut(*values))
    return found
