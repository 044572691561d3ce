"""Who could come in, and by what."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount

from accounts.models import Membership, Workspace


@dataclass(frozen=True)
class MemberFactor:
    """A member; whether they have a second factor, and whether the workspace's provider is connected."""

    membership: Membership
    has_factor: bool
    is_connected: bool


def member_factors(workspace: Workspace) -> list[MemberFactor]:
    """Active members by name. Three queries."""
    members = list(
        Membership.objects.filter(is_active=True).select_related("user").order_by("user__name", "pk")
    )
    users = [member.user_id for member in members]
    secured = set(
        Authenticator.objects.filter(
            user_id__in=users, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
        ).values_list("user_id", flat=True)
    )
    connected = set(
        SocialAccount.objects.filter(user_id__in=users, provider=workspace.public_id.hex).values_list(
            "user_id", flat=True
        )
    )
    return [MemberFactor(m, m.user_id in secured, m.user_id in connected) for m in members]


def is_connected(user_id: int, workspace: Workspace) -> bool:
    return bool(SocialAccount.objects.filter(user_id=user_id, provider=workspace.public_id.hex).exists())
