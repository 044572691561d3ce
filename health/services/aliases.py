"""Another key under which an account's use comes in."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Account, AccountAlias, User
from accounts.services.audit import audit
from health.services.fold_requests import request_fold


class AliasTaken(RuntimeError):
    """The key names another account."""


@transaction.atomic
def add_alias(*, account: Account, key: str, acting_user: User) -> AccountAlias:
    """From now on, and for what waits, `key` means the account."""
    if Account.objects.filter(external_id=key).exclude(pk=account.pk).exists():
        raise AliasTaken
    alias, created = AccountAlias.objects.get_or_create(key=key, defaults={"account": account})
    if not created and alias.account_id != account.pk:
        raise AliasTaken
    audit("health.alias.added", acting_user=acting_user, target=alias, account=account.pk)
    request_fold()
    return alias
