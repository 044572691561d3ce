"""Put the checklist of the first days away, or get it back."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User, WelcomeDismissal
from accounts.services.audit import audit


def dismiss(*, acting_user: User, now: datetime) -> None:
    """For the whole workspace; twice is as once."""
    _row, made = WelcomeDismissal.objects.get_or_create(
        defaults={"dismissed_at": now, "dismissed_by": acting_user}
    )
    if made:
        audit("accounts.welcome.dismissed", acting_user=acting_user)


def bring_back(*, acting_user: User) -> None:
    if WelcomeDismissal.objects.all().delete()[0]:
        audit("accounts.welcome.brought_back", acting_user=acting_user)
