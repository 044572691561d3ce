"""After a restore nothing is sent or charged until an owner looked at what waits and said so."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import OutboundEmail, User, WebhookDelivery, Workspace
from accounts.services.audit import audit

DISCARDED = "discarded_after_restore"
_OPEN = (OutboundEmail.Status.QUEUED, OutboundEmail.Status.SENDING)


@transaction.atomic
def release(*, workspace: Workspace, discard: bool, acting_user: User, now: datetime) -> None:
    """Let jobs that go outside run again; `discard` first gives up everything that waits now."""
    if discard:
        OutboundEmail.objects.filter(status__in=_OPEN).update(
            status=OutboundEmail.Status.SUPPRESSED, last_error=DISCARDED
        )
        WebhookDelivery.objects.filter(status=WebhookDelivery.Status.WAITING).update(
            status=WebhookDelivery.Status.CANCELED, settled_at=now
        )
    Workspace.objects.filter(pk=workspace.pk).update(outside_held_since=None)
    verb = "discarded" if discard else "released"
    audit(f"accounts.workspace.outside_{verb}", acting_user=acting_user, target=workspace)
