"""Who is in a workspace and with which role."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Membership, Role, User, Workspace
from accounts.services.audit import audit
from accounts.signals import time_zone_changed
from cs_platform.lib.scoping import current_workspace_id


class LastOwner(RuntimeError):
    """A workspace needs at least one active owner."""


class OwnersOnly(RuntimeError):
    """Only owners make, change or remove owners."""


@transaction.atomic
def change_role(*, membership: Membership, role: str, acting_member: Membership) -> None:
    """Give another role; applies to the next request of that member."""
    _guard(membership, acting_member, stays_owner=role == Role.OWNER, makes_owner=role == Role.OWNER)
    membership.role = Role(role)
    membership.save(update_fields=["role"])
    audit("accounts.membership.role_changed", acting_user=acting_member.user, target=membership, role=role)


@transaction.atomic
def deactivate(*, membership: Membership, acting_member: Membership) -> None:
    """Take a member's access away; what they wrote stays theirs."""
    _guard(membership, acting_member, stays_owner=False, makes_owner=False)
    membership.is_active = False
    membership.save(update_fields=["is_active"])
    audit("accounts.membership.deactivated", acting_user=acting_member.user, target=membership)


@transaction.atomic
def reactivate(*, membership: Membership, acting_member: Membership) -> None:
    _guard(membership, acting_member, stays_owner=True, makes_owner=False)
    membership.is_active = True
    membership.save(update_fields=["is_active"])
    audit("accounts.membership.reactivated", acting_user=acting_member.user, target=membership)


@transaction.atomic
def update_workspace(*, workspace: Workspace, acting_user: User, **values: object) -> None:
    """Change the workspace's own settings; values are checked by the form and by the database."""
    zone = Workspace.objects.values_list("time_zone", flat=True).get(pk=workspace.pk)
    for name, value in values.items():
        setattr(workspace, name, value)
    workspace.save(update_fields=list(values))
    if workspace.time_zone != zone:  # a day is another stretch of time now
        time_zone_changed.send(workspace.pk)
    audit("accounts.workspace.changed", acting_user=acting_user, target=workspace, fields=sorted(values))


def _guard(membership: Membership, acting: Membership, *, stays_owner: bool, makes_owner: bool) -> None:
    # One owner at a time may be changed, else two could remove each other.
    Workspace.objects.select_for_update().get(pk=current_workspace_id())
    membership.refresh_from_db()
    if Role.OWNER in (membership.role, Role.OWNER if makes_owner else "") and acting.role != Role.OWNER:
        raise OwnersOnly
    if membership.role == Role.OWNER and membership.is_active and not stays_owner:
        others = Membership.objects.filter(role=Role.OWNER, is_active=True).exclude(pk=membership.pk)
        if not others.exists():
            raise LastOwner
