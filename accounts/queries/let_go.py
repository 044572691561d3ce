"""Accounts that the team deliberately lets go."""

from __future__ import annotations

from django.db.models import FilteredRelation, Q, QuerySet

from accounts.models import Account, LetGo


def with_let_go(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """Each with the decision in force as `standing_let_go`, which is absent where there is none; no query more."""
    in_force = FilteredRelation("let_go", condition=Q(let_go__withdrawn_at__isnull=True))
    found = accounts.annotate(standing_let_go=in_force)
    return found.select_related("standing_let_go__decided_by")  # type: ignore[misc]


def open_let_go(account: Account) -> LetGo | None:
    """The decision in force, if there is one."""
    rows = LetGo.objects.filter(account=account, withdrawn_at__isnull=True)
    found: LetGo | None = rows.select_related("decided_by").first()
    return found
