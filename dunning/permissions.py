"""Who may do what with failed payments."""

from __future__ import annotations

from accounts.access import register_permission
from accounts.models import Role


def register() -> None:
    workers = frozenset({Role.OWNER, Role.ADMIN, Role.CSM})
    register_permission("dunning.view", frozenset(Role))
    register_permission("dunning.work", workers)
    register_permission("dunning.configure", workers - {Role.CSM})
