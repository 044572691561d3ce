"""The workspace's own OpenID provider: set it up, and decide whom its word lets in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.account.internal.userkit import filter_users_by_email
from django.db import transaction

from accounts.gateways.openid import describe
from accounts.models import IdentityProvider, Invitation, Membership, User, Workspace
from accounts.services import invitations
from accounts.services.audit import audit
from accounts.services.workspaces import add_member
from cs_platform.lib.scoping import workspace_scope


class NotLetIn(RuntimeError):
    """The provider vouched for somebody who may not come in; `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Admission:
    """By which right a newcomer comes in: an open invitation, or else the provider's domains."""

    role: str
    invitation: Invitation | None


def workspace_named(provider_id: str) -> Workspace | None:
    """The workspace that an address of sign-in names (its public id, 32 hexadecimal digits), or None."""
    if len(provider_id) != 32:
        return None
    try:
        public_id = UUID(hex=provider_id)
    except ValueError:
        return None
    return Workspace.objects.filter(public_id=public_id).first() if public_id.hex == provider_id else None


def open_provider(workspace: Workspace) -> IdentityProvider | None:
    """The workspace's provider if members may use it now. Opens the scope itself."""
    with workspace_scope(workspace.pk):
        return IdentityProvider.objects.filter(is_enabled=True).first()


def provider_key(workspace: Workspace) -> str:
    """How allauth names the provider: in addresses, and in the link between a login and the provider."""
    return workspace.public_id.hex


@transaction.atomic
def save_provider(*, provider: IdentityProvider, acting_user: User) -> IdentityProvider:
    """Keep the settings; a provider that is switched on must answer. Raises OpenIDError, and nothing is kept."""
    if provider.is_enabled:
        provider.authorize_origin = describe(provider.issuer).authorize_origin
    provider.save()
    audit(
        "accounts.identity_provider.changed",
        acting_user=acting_user,
        target=provider,
        is_enabled=provider.is_enabled,
        joins=provider.joins,
    )
    return provider


def admission_of(*, workspace: Workspace, email: str, is_verified: bool, now: datetime) -> Admission:
    """By which right somebody without a link comes in; call inside the scope. Raises NotLetIn.

    Never by the address of a login that is there: its owner signs in and connects it.
    """
    address = email.strip().lower()
    if not address or not is_verified:
        raise NotLetIn("unverified")
    if filter_users_by_email(address):
        raise NotLetIn("known")
    waiting = Invitation.objects.filter(
        email=address, accepted_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now
    )
    if (invitation := waiting.order_by("-pk").first()) is not None:
        return Admission(invitation.role, invitation)
    provider = IdentityProvider.objects.filter(is_enabled=True).first()
    if provider and provider.joins and address.rpartition("@")[2] in provider.domains:
        return Admission(provider.newcomer_role, None)
    raise NotLetIn("uninvited")


@transaction.atomic
def let_in(*, user: User, admission: Admission, now: datetime) -> Membership:
    """Make a new login a member by its admission; raises invitations.NotOpen when it was used meanwhile."""
    audit("accounts.identity_provider.let_in", acting_user=user, role=admission.role)
    if admission.invitation is not None:
        return invitations.accept(invitation=admission.invitation, user=user, now=now)
    return add_member(user=user, role=admission.role, acting_user=user)


def is_member(user: User) -> bool:
    """Whether an active membership stands in the running workspace."""
    return Membership.objects.filter(user=user, is_active=True).exists()
