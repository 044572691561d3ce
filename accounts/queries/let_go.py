"""Accounts that the team deliberately lets go."""

from __future__ import annotations

from accounts.models import Account, LetGo


def open_let_go(account: Account) -> LetGo | None:
    """The decision in force, if there is one."""
    rows = LetGo.objects.filter(account=account, withdrawn_at__isnull=True)
    found: LetGo | None = rows.select_related("decided_by").first()
    return found
