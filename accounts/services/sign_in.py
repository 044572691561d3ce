"""The workspace's rules of coming in."""

from __future__ import annotations

from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from accounts.models import Membership, MfaPolicy, Role, User, Workspace
from accounts.services.audit import audit

_STRICTNESS = list(MfaPolicy.values)  # from weak to strict


class OwnersOnly(RuntimeError):
    """Only an owner makes the rule weaker."""


@transaction.atomic
def set_mfa_policy(*, workspace: Workspace, policy: str, acting_member: Membership) -> None:
    """Who must have a second factor; holds from everybody's next request on. Raises OwnersOnly."""
    current = Workspace.objects.select_for_update().get(pk=workspace.pk).mfa_policy
    weaker = _STRICTNESS.index(policy) < _STRICTNESS.index(current)
    if weaker and acting_member.role != Role.OWNER:
        raise OwnersOnly
    Workspace.objects.filter(pk=workspace.pk).update(mfa_policy=policy)
    audit(
        "accounts.workspace.mfa_policy_changed",
        acting_user=acting_member.user,
        target=workspace,
        before=current,
        after=policy,
    )


@transaction.atomic
def disconnect(*, user: User, workspace: Workspace) -> None:
    """Take one's link to the workspace's provider away."""
    found, _ = SocialAccount.objects.filter(user=user, provider=workspace.public_id.hex).delete()
    if found:
        audit("accounts.identity_provider.disconnected", acting_user=user)
