"""The answer to what a customer's person asked about a bill."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from accounts.models import OutboundEmail, User, Workspace
from accounts.services.audit import audit
from accounts.services.personal_mails import send_personal_mail
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import current_workspace_id
from dunning.models import BillQuestion
from dunning.services.case_verbs import note
from dunning.services.questions import QUEUE_SOURCE
from health.models import QueueItem, Resolution, ResolutionResult
from health.services.queue import refresh_entries


class AlreadyAnswered(Exception):
    """Somebody else was faster."""


@transaction.atomic
def answer_question(
    *, question: BillQuestion, text: str, acting_user: User, now: datetime
) -> OutboundEmail | None:
    """Mail the answer to who asked, note it in the case, and take the question out of the queue.

    None where the person has no address: the answer then is a note of what was said. Raises AlreadyAnswered.
    """
    held = BillQuestion.objects.select_for_update(no_key=True).get(pk=question.pk)
    if held.answered_at is not None:
        raise AlreadyAnswered
    held.answered_at, held.answered_by = now, acting_user
    held.save(update_fields=["answered_at", "answered_by"])
    email = _mail(held, text, acting_user, now)
    if held.case is not None:
        note(case=held.case, text=text, acting_user=acting_user, now=now)
    _leave_queue(held, acting_user, now)
    audit("dunning.question.answered", acting_user=acting_user, target=held)
    return email


def _mail(question: BillQuestion, text: str, acting_user: User, now: datetime) -> OutboundEmail | None:
    contact = question.contact
    if contact is None or not contact.email or contact.left_at is not None:
        return None
    with translation.override(contact.language or None):
        subject = gettext("Your question about your bill")
        if question.case is not None:
            invoice = question.case.invoice
            subject = gettext("Your question about bill %(number)s") % {
                "number": invoice.number or invoice.external_id
            }
    return send_personal_mail(
        contact=contact, subject=subject, body=text, text=None, acting_user=acting_user, now=now
    )


def _leave_queue(question: BillQuestion, acting_user: User, now: datetime) -> None:
    source = f"{QUEUE_SOURCE}:{question.pk}"
    items = QueueItem.objects.filter(account=question.account, source=source, closed_at__isnull=True)
    if not items.update(closed_at=now):
        return
    Resolution.objects.create(
        account=question.account,
        result=ResolutionResult.HELPED,
        sources=[source],
        resolved_by=acting_user,
        resolved_at=now,
        quiet_until=local_day(now, Workspace.objects.get(pk=current_workspace_id()).zone),
    )
    refresh_entries([question.account_id])
