"""Let people in by mail."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.models import Invitation, Membership, OutboundEmail, User, Workspace
from accounts.services.audit import audit
from accounts.services.mail import queue_mail
from accounts.services.workspaces import add_member
from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.signing import Credential, new_credential

LIFETIME = timedelta(days=14)
MAIL_KIND = "accounts.invitation"


class NotForYou(RuntimeError):
    """The invitation names another mail address."""


class NotOpen(RuntimeError):
    """The invitation was used or withdrawn meanwhile."""


class AlreadyMember(RuntimeError):
    """The address belongs to an active member; roles are changed in the list."""


@transaction.atomic
def invite(*, email: str, role: str, acting_user: User, now: datetime) -> tuple[Invitation, Credential]:
    """Write an invitation and its mail; an open one for the same address is replaced.

    Raises AlreadyMember: accepting must not change the role of somebody who is in already.
    """
    workspace = Workspace.objects.get(pk=current_workspace_id())
    address = email.strip().lower()
    if Membership.objects.filter(user__email__iexact=address, is_active=True).exists():
        raise AlreadyMember
    Invitation.objects.filter(email=address, accepted_at__isnull=True, revoked_at__isnull=True).update(
        revoked_at=now
    )
    credential = new_credential(workspace.public_id)
    invitation = Invitation.objects.create(
        email=address,
        role=role,
        token_hash=credential.digest,
        invited_by=acting_user,
        expires_at=now + LIFETIME,
    )
    link = settings.BASE_URL + reverse("accounts:invitation", args=[str(credential)])
    queue_mail(
        MAIL_KIND,
        to_address=address,
        context={"link": link, "invited_by": str(acting_user), "days": LIFETIME.days},
        language=workspace.language,
    )
    audit("accounts.invitation.sent", acting_user=acting_user, target=invitation, role=role)
    return invitation, credential


def find_invitation(*, credential: Credential, now: datetime) -> Invitation | None:
    """The open invitation in the running workspace, or None."""
    return (
        Invitation.objects.select_related("workspace", "invited_by")
        .filter(
            token_hash=credential.digest,
            expires_at__gt=now,
            accepted_at__isnull=True,
            revoked_at__isnull=True,
        )
        .first()
    )


@transaction.atomic
def accept(*, invitation: Invitation, user: User, now: datetime) -> Membership:
    """Turn an open invitation into a membership, once; an active one keeps its role.

    Raises NotForYou for another address, NotOpen when it was used or withdrawn meanwhile.
    """
    if user.email.lower() != invitation.email:
        raise NotForYou
    taken = Invitation.objects.filter(pk=invitation.pk, accepted_at__isnull=True, revoked_at__isnull=True)
    if not taken.update(accepted_at=now):
        raise NotOpen
    audit("accounts.invitation.accepted", acting_user=user, target=invitation)
    member = Membership.objects.filter(user=user, is_active=True).first()
    return member or add_member(user=user, role=invitation.role, acting_user=user)


def forget_link(email: OutboundEmail) -> None:
    """Once the mail is out nobody here needs its link any more, and only a hash of it may stay."""
    if email.status == OutboundEmail.Status.SENT:
        OutboundEmail.objects.filter(pk=email.pk).update(context={})


def revoke(*, invitation: Invitation, acting_user: User, now: datetime) -> None:
    Invitation.objects.filter(pk=invitation.pk, accepted_at__isnull=True).update(revoked_at=now)
    audit("accounts.invitation.revoked", acting_user=acting_user, target=invitation)
