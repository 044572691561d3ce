"""The mail outbox: a row first, `sending` before the hand-over, `sent` after it.

A crash in between leaves the truth unknown: the mail becomes `doubtful`, and only kinds that say
so are sent again. At least once for those, at most once for all others.
"""

from __future__ import annotations

import hashlib
from email.utils import make_msgid
from html import unescape
from typing import Any

import structlog
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.gateways.mail import MailError, Message, send
from accounts.models import Contact, EmailSuppression, Job, OutboundEmail, User
from accounts.registry import mail_kinds
from accounts.services.jobs import Lease
from cs_platform.lib.scoping import workspace_scope

log = structlog.get_logger(__name__)

SEND_JOB = "accounts.send_email"
Status = OutboundEmail.Status


class TryLater(RuntimeError):
    """The mail system is not there; the job's own pause and limit decide."""


def queue_mail(
    kind: str,
    *,
    to_address: str,
    context: dict[str, Any],
    language: str,
    contact: Contact | None = None,
    user: User | None = None,
) -> OutboundEmail:
    """Write a mail and its job in the caller's transaction. `context` must be JSON; unknown kinds raise."""
    mail_kinds.get(kind)
    email = OutboundEmail.objects.create(
        kind=kind, to_address=to_address, context=context, language=language, contact=contact, user=user
    )
    Job.objects.put(SEND_JOB, email.pk)
    return email


def address_hash(address: str) -> bytes:
    return hashlib.sha256(address.strip().lower().encode()).digest()


def suppress(address: str, *, reason: str) -> None:
    """No more mail to this address from the running workspace."""
    EmailSuppression.objects.get_or_create(address_hash=address_hash(address), defaults={"reason": reason})


def send_email(lease: Lease) -> None:
    """Handler of the send job: three steps, the hand-over outside any transaction."""
    email = _begin(lease)
    if email is None:
        return
    with workspace_scope(lease.workspace_id):
        message = _render(email)
    try:
        send(message)
    except MailError as error:
        _settle_error(lease, email, error)
        return
    _settle(lease, email, status=Status.SENT, sent_at=timezone.now(), last_error="")


def _begin(lease: Lease) -> OutboundEmail | None:
    """Mark `sending`, or settle without sending; None when there is nothing to hand over."""
    with workspace_scope(lease.workspace_id):
        lease.hold()
        email = OutboundEmail.objects.select_for_update().filter(pk=lease.object_id).first()
        if email is None or email.status not in (Status.QUEUED, Status.SENDING):
            return None
        kind = mail_kinds.get(email.kind)
        refused = _refusal(email)
        if refused:
            OutboundEmail.objects.filter(pk=email.pk).update(status=Status.SUPPRESSED, last_error=refused)
            return None
        if email.status == Status.SENDING and not kind.resend_when_doubtful:
            OutboundEmail.objects.filter(pk=email.pk).update(status=Status.DOUBTFUL, last_error="crashed")
            log.warning("mail.doubtful", kind=email.kind, email_id=email.pk)
            return None
        email.status, email.attempts = Status.SENDING, email.attempts + 1
        email.message_id = email.message_id or make_msgid(idstring=email.public_id.hex, domain="mail.invalid")
        email.save(update_fields=["status", "attempts", "message_id"])
        return email


def _refusal(email: OutboundEmail) -> str:
    if EmailSuppression.objects.filter(address_hash=address_hash(email.to_address)).exists():
        return "suppressed"
    return "" if mail_kinds.get(email.kind).still_wanted(email) else "not_wanted"


def _render(email: OutboundEmail) -> Message:
    """Subject from the first line of its file; bodies in the mail's language."""
    kind = mail_kinds.get(email.kind)
    with translation.override(email.language):
        context = {**email.context, "workspace": email.workspace, "language": email.language}
        # Templates escape for HTML; a subject and a text body are none.
        subject = " ".join(unescape(render_to_string(kind.subject_template, context)).split())
        text = unescape(render_to_string(f"{kind.body_template}.txt", context)).strip() + "\n"
        html = render_to_string(f"{kind.body_template}.html", {**context, "subject": subject})
    return Message(email.to_address, subject, text, html, email.message_id)


def _settle_error(lease: Lease, email: OutboundEmail, error: MailError) -> None:
    kind = mail_kinds.get(email.kind)
    if error.permanent:
        _settle(lease, email, status=Status.FAILED, last_error=error.code)
        return
    if error.unknown and not kind.resend_when_doubtful:
        _settle(lease, email, status=Status.DOUBTFUL, last_error=error.code)
        return
    _settle(lease, email, status=Status.QUEUED, last_error=error.code)
    raise TryLater(error.code)


def _settle(lease: Lease, email: OutboundEmail, **values: Any) -> None:
    with workspace_scope(lease.workspace_id):
        lease.hold()
        OutboundEmail.objects.filter(pk=email.pk).update(**values)
