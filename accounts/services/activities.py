"""Touches: contact between the team and a customer that a CSM writes down."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import Account, Activity, Contact, TouchKind, User
from accounts.services.audit import audit


@transaction.atomic
def log_touch(
    *,
    account: Account,
    kind: str,
    occurred_at: datetime,
    contact: Contact | None = None,
    body: str = "",
    acting_user: User | None,
) -> Activity:
    """A line of the timeline that counts as a touch ("days since the last CSM touch")."""
    if kind not in TouchKind.values:
        raise ValueError(f"unknown kind of touch: {kind!r}")
    activity: Activity = Activity.objects.create(
        account=account,
        contact=contact,
        author=acting_user,
        kind=kind,
        body=body,
        is_touch=True,
        occurred_at=occurred_at,
    )
    audit("accounts.activity.logged", acting_user=acting_user, target=activity, kind=kind)
    return activity


@transaction.atomic
def delete_touch(*, activity: Activity, acting_user: User) -> None:
    """Remove a touch that was written down by hand."""
    audit("accounts.activity.deleted", acting_user=acting_user, target=activity, kind=activity.kind)
    activity.delete()
