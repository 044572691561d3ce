"""What an admin does with messages that were set aside."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import BillingMessage, Job, User
from accounts.services.audit import audit
from accounts.services.billing_inbox import MESSAGE_JOB, PRIORITY


@transaction.atomic
def try_again(*, message: BillingMessage, acting_user: User, now: datetime) -> bool:
    """Give a parked message another five tries; False when it is not parked any more."""
    parked = BillingMessage.objects.filter(pk=message.pk, parked_at__isnull=False, processed_at__isnull=True)
    if not parked.update(parked_at=None, failures=0, last_error=""):
        return False
    Job.objects.put(MESSAGE_JOB, message.pk, priority=PRIORITY)
    audit("accounts.billing_message.tried_again", acting_user=acting_user, target=message)
    return True


@transaction.atomic
def try_all_again(*, acting_user: User, now: datetime, limit: int) -> int:
    """The same for the oldest parked messages; returns how many."""
    parked = BillingMessage.objects.filter(parked_at__isnull=False, processed_at__isnull=True)
    rows = list(parked.defer("body").order_by("pk")[:limit])
    return sum(try_again(message=row, acting_user=acting_user, now=now) for row in rows)


@transaction.atomic
def dismiss(*, message: BillingMessage, acting_user: User, now: datetime) -> bool:
    """Work no more on a parked message; False when it is not parked any more. Its text goes, the reason stays. What
    it was about is compared every night all the same."""
    parked = BillingMessage.objects.filter(pk=message.pk, parked_at__isnull=False, processed_at__isnull=True)
    if not parked.update(processed_at=now, body=None):
        return False
    audit("accounts.billing_message.dismissed", acting_user=acting_user, target=message)
    return True
