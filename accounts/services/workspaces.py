"""Create a workspace, let people in, make keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext

from accounts.models import ApiKey, Membership, Role, User, Workspace
from accounts.registry import workspace_defaults
from accounts.services.audit import audit
from cs_platform.lib.scoping import workspace_scope
from cs_platform.lib.signing import Credential, new_credential


def create_workspace(
    *,
    slug: str,
    name: str,
    owner: User,
    acting_user: User | None,
    time_zone: str = "UTC",
    language: str = "en",
    horizon_days: int = 90,
    report_currency: str = "USD",
) -> Workspace:
    """A workspace with its owner; apps above add their registered defaults."""
    with transaction.atomic():
        workspace = Workspace(
            slug=slug,
            name=name,
            time_zone=time_zone,
            language=language,
            horizon_days=horizon_days,
            report_currency=report_currency,
        )
        _refuse_unknown(time_zone, report_currency)
        workspace.full_clean()
        workspace.save()
        with workspace_scope(workspace.pk):
            add_member(user=owner, role=Role.OWNER, acting_user=acting_user)
            audit("accounts.workspace.created", acting_user=acting_user, target=workspace)
            for default in workspace_defaults:
                default.create()
    return workspace


@cache
def _time_zones() -> set[str]:
    """Read once: it opens six hundred files."""
    return available_timezones()


def _refuse_unknown(time_zone: str, currency: str) -> None:
    """Neither a zone without rules nor a currency without a code may reach a night or a report."""
    if time_zone not in _time_zones():
        raise ValidationError(gettext("“%(name)s” is no time zone.") % {"name": time_zone})
    if not re.fullmatch("[A-Z]{3}", currency):
        raise ValidationError(gettext("“%(name)s” is no currency code.") % {"name": currency})


def add_member(*, user: User, role: str, acting_user: User | None) -> Membership:
    """The user's membership in the running workspace, made, revived or given the role."""
    membership, created = Membership.objects.get_or_create(user=user, defaults={"role": role})
    if not created and (membership.role != role or not membership.is_active):
        membership.role, membership.is_active = role, True
        membership.save(update_fields=["role", "is_active"])
    audit("accounts.membership.added", acting_user=acting_user, target=membership, role=role)
    return membership


def create_api_key(
    *, workspace: Workspace, scope: str, name: str = "", acting_user: User | None
) -> tuple[ApiKey, Credential]:
    """A key and, this one time, its secret. Call inside the workspace's scope."""
    credential = new_credential(workspace.public_id, prefix=f"{scope}_")
    key = ApiKey.objects.create(
        name=name,
        scope=scope,
        secret_hash=credential.digest,
        hint=credential.secret[:4],
        created_by=acting_user,
    )
    audit("accounts.api_key.created", acting_user=acting_user, target=key, scope=scope)
    return key, credential


def find_api_key(credential: Credential) -> ApiKey | None:
    """The valid key with this secret, with its workspace; opens and closes the scope itself."""
    with key_scope(credential) as key:
        return key


@contextmanager
def key_scope(credential: Credential) -> Iterator[ApiKey | None]:
    """Run the block inside the workspace of the valid key with this secret, and with it; outside and without
    where there is none."""
    workspace = Workspace.objects.filter(public_id=credential.workspace).first()
    if workspace is None:
        yield None
        return
    with workspace_scope(workspace.pk):
        key = ApiKey.objects.filter(secret_hash=credential.digest, revoked_at__isnull=True).first()
        if key is not None:
            key.workspace = workspace
        yield key if key is not None and credential.prefix == f"{key.scope}_" else None


def revoke_api_key(*, key: ApiKey, acting_user: User, now: datetime) -> None:
    """The key stops working at once for new requests."""
    ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now)
    audit("accounts.api_key.revoked", acting_user=acting_user, target=key)
