"""Accounts that the team deliberately lets go, and taking that back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import Account, LetGo, User
from accounts.queries.let_go import open_let_go
from accounts.services.audit import audit
from accounts.signals import account_changed


@transaction.atomic
def let_go(*, account: Account, note: str, acting_user: User, now: datetime) -> LetGo:
    """Let the account go; deciding it twice changes the note only."""
    decision, created = LetGo.objects.get_or_create(
        account=account,
        withdrawn_at__isnull=True,
        defaults={"note": note, "decided_by": acting_user, "decided_at": now},
    )
    if not created:
        decision.note = note
        decision.save(update_fields=["note"])
    audit("accounts.let_go.decided", acting_user=acting_user, target=decision)
    account_changed.send(account.pk)
    return decision


@transaction.atomic
def withdraw_let_go(*, account: Account, acting_user: User, now: datetime) -> bool:
    """Take the decision back; False when there was none."""
    decision = open_let_go(account)
    if decision is None:
        return False
    decision.withdrawn_at = now
    decision.save(update_fields=["withdrawn_at"])
    audit("accounts.let_go.withdrawn", acting_user=acting_user, target=decision)
    account_changed.send(account.pk)
    return True
