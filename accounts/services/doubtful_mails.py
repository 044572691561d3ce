"""What a human decides about a mail of which nobody knows whether it came through."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Job, OutboundEmail, User
from accounts.services.audit import audit
from accounts.services.mail import SEND_JOB

Status = OutboundEmail.Status


@transaction.atomic
def send_again(*, email: OutboundEmail, acting_user: User) -> bool:
    """Queue it anew; the arbiter is asked again. False when it is no longer doubtful."""
    if not _open(email).update(status=Status.QUEUED, begun_at=None, last_error="", held_reason=""):
        return False
    Job.objects.put(SEND_JOB, email.pk)
    audit("accounts.mail.sent_again", acting_user=acting_user, target=email)
    return True


@transaction.atomic
def leave(*, email: OutboundEmail, acting_user: User, now: datetime) -> bool:
    """Take it as sent and off the list. False when it is no longer doubtful."""
    if not _open(email).update(reviewed_at=now):
        return False
    audit("accounts.mail.left_doubtful", acting_user=acting_user, target=email)
    return True


def _open(email: OutboundEmail) -> Any:
    return OutboundEmail.objects.filter(pk=email.pk, status=Status.DOUBTFUL, reviewed_at__isnull=True)
