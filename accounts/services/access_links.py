"""Public links for people without a login: random, hashed, bound to a purpose and a person."""

from __future__ import annotations

from datetime import datetime

from accounts.models import AccessLink, Contact, Workspace
from accounts.registry import token_purposes
from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.signing import Credential, new_credential


def create_link(
    *, purpose: str, contact: Contact | None, object_id: int | None, now: datetime
) -> tuple[AccessLink, Credential]:
    """A link of a registered purpose and, this one time, its token."""
    workspace = Workspace.objects.get(pk=current_workspace_id())
    credential = new_credential(workspace.public_id)
    link = AccessLink.objects.create(
        purpose=purpose,
        contact=contact,
        object_id=object_id,
        token_hash=credential.digest,
        expires_at=now + token_purposes.get(purpose).lifetime,
    )
    return link, credential


def find_link(*, credential: Credential, purpose: str, now: datetime) -> AccessLink | None:
    """The valid link of this purpose in the running workspace; expired, revoked, used or foreign: None."""
    return (
        AccessLink.objects.select_related("contact__account", "workspace")
        .filter(
            token_hash=credential.digest,
            purpose=purpose,
            expires_at__gt=now,
            revoked_at__isnull=True,
            used_at__isnull=True,
        )
        .first()
    )


def use_up(*, link: AccessLink, now: datetime) -> bool:
    """Mark a single-use link as used; False when somebody was quicker."""
    return bool(AccessLink.objects.filter(pk=link.pk, used_at__isnull=True).update(used_at=now))


def revoke(*, link: AccessLink, now: datetime) -> None:
    AccessLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(revoked_at=now)
