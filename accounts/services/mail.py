"""The mail outbox: a row first, `sending` before the hand-over, `sent` after it.

The arbiter and the suppressions are asked in the transaction that says `sending`, under a lock on
the person. A crash around the hand-over leaves the truth unknown: the mail becomes `doubtful`, and
only kinds that say so are sent again, or all where the mail system takes a key against doubles.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import make_msgid, parseaddr
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from accounts.gateways.mail import MailError, Message, send
from accounts.models import Contact, Job, MailClass, OutboundEmail, User
from accounts.registry import MailKind, mail_kinds
from accounts.services.arbiter import Decision, decide
from accounts.services.jobs import ComeBack, Lease
from accounts.services.mail_links import choice_links, list_headers
from accounts.services.mail_rendering import render
from accounts.services.suppressions import address_hash, in_force, lock_person, suppress
from cs_platform.lib.scoping import workspace_scope

__all__ = ["SEND_JOB", "queue_mail", "send_email", "suppress"]

log = structlog.get_logger(__name__)

SEND_JOB = "accounts.send_email"
# Providers keep idempotency keys for 24 hours (Resend); after 20 a repetition is a new mail.
KEY_HOLDS = timedelta(hours=20)
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
    mail_class: str = "",
    motion: str = "",
    category: str = "",
    clock: str = "",
    delay: timedelta = timedelta(0),
    **fields: Any,
) -> OutboundEmail:
    """Write a mail and its job in the caller's transaction. `context` must be JSON; unknown kinds raise.

    Class, motion and category are the kind's unless said otherwise; `clock` names a survey ("survey:12").
    It stays here for `delay` at least; `fields` are further columns of the row.
    """
    known = mail_kinds.get(kind)
    email = OutboundEmail.objects.create(
        kind=kind,
        to_address=to_address,
        address_hash=address_hash(to_address),
        context=context,
        language=language,
        contact=contact,
        user=user,
        mail_class=MailClass(mail_class or known.mail_class),
        motion=motion or known.motion,
        category=category or known.category,
        clock=clock or kind,
        **fields,
    )
    Job.objects.put(SEND_JOB, email.pk, delay=delay)
    return email


def send_email(lease: Lease) -> None:
    """Handler of the send job: three steps, the hand-over outside any transaction."""
    email = _begin(lease, now=timezone.now())
    if email is None:
        return
    try:
        with workspace_scope(lease.workspace_id):
            message = _message(email)
    except Exception:
        if email.attempts == 1:  # nothing was handed over, now or before: there is no doubt about it
            _settle(lease, email, status=Status.QUEUED, begun_at=None, attempts=0, last_error="not_rendered")
        raise
    try:
        provider_id = send(message)
    except MailError as error:
        _settle_error(lease, email, error)
        return
    _settle(
        lease, email, status=Status.SENT, sent_at=timezone.now(), provider_id=provider_id or "", last_error=""
    )


def _begin(lease: Lease, *, now: datetime) -> OutboundEmail | None:
    """Mark `sending`, or settle without sending; None when there is nothing to hand over."""
    put_off: datetime | None = None
    with workspace_scope(lease.workspace_id):
        lease.hold()
        email = OutboundEmail.objects.select_for_update().filter(pk=lease.object_id).first()
        if email is None or email.status not in (Status.QUEUED, Status.SENDING):
            return None
        kind = mail_kinds.get(email.kind)
        if email.status == Status.SENDING and not _may_repeat(kind, email, now):
            _put(email, status=Status.DOUBTFUL, last_error="crashed")
            log.warning("mail.doubtful", kind=email.kind, email_id=email.pk)
            return None
        decision = _decide(email, kind, now)
        if not decision.allowed:
            put_off = _hold_back(email, kind, decision)
        else:
            _mark_sending(email, now)
            return email
    if put_off is not None:
        raise ComeBack(put_off - now + timedelta(seconds=1))
    return None


def _mark_sending(email: OutboundEmail, now: datetime) -> None:
    email.status, email.attempts = Status.SENDING, email.attempts + 1
    email.begun_at = email.begun_at or now
    email.message_id = email.message_id or make_msgid(idstring=email.public_id.hex, domain=_own_domain())
    email.held_reason, email.not_before = "", None
    email.save(update_fields=["status", "attempts", "begun_at", "message_id", "held_reason", "not_before"])


def _own_domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "mail.invalid"


def _may_repeat(kind: MailKind, email: OutboundEmail, now: datetime) -> bool:
    """Whether a mail of unknown fate may be handed over once more."""
    if kind.resend_when_doubtful:
        return True
    begun = email.begun_at
    return bool(settings.MAIL_IDEMPOTENCY_HEADER and begun and now - begun < KEY_HOLDS)


def _decide(email: OutboundEmail, kind: MailKind, now: datetime) -> Decision:
    if not kind.still_wanted(email):
        return Decision(False, "not_wanted")
    if email.contact is not None:
        return decide(
            contact=email.contact,
            mail_class=email.mail_class or kind.mail_class,
            kind=email.kind,
            now=now,
            motion=email.motion,
            category=email.category,
            clock=email.clock,
            email=email,
        )
    lock_person(email.to_address)
    found = in_force(email.to_address, now=now)
    is_transactional = (email.mail_class or kind.mail_class) == MailClass.TRANSACTIONAL
    stop = found.filter(is_total=True).first() or (None if is_transactional else found.first())
    return Decision(False, stop.reason) if stop else Decision(True, "free")


def _hold_back(email: OutboundEmail, kind: MailKind, decision: Decision) -> datetime | None:
    """Store why it does not go now; the time to ask again, or None when it never will."""
    again = decision.not_before
    if email.status == Status.SENDING:  # an earlier hand-over may have come through: a human decides
        _put(email, status=Status.DOUBTFUL, held_reason=decision.reason)
        return None
    waits = again is not None and again <= email.created_at + kind.waits
    _put(
        email,
        status=Status.QUEUED if waits else Status.SUPPRESSED,
        held_reason=decision.reason,
        not_before=again,
        last_error="" if waits else decision.reason,
    )
    return again if waits else None


def _message(email: OutboundEmail) -> Message:
    """The rendered mail with the headers that its class and the mail system ask for."""
    links = choice_links(email)
    message = render(email, links)
    headers = {**message.headers, **list_headers(links["unsubscribe_url"])}
    if settings.MAIL_IDEMPOTENCY_HEADER:
        headers[settings.MAIL_IDEMPOTENCY_HEADER] = email.public_id.hex
    return replace(message, headers=headers, reference=email.public_id.hex)


def _settle_error(lease: Lease, email: OutboundEmail, error: MailError) -> None:
    kind = mail_kinds.get(email.kind)
    if error.permanent:
        _settle(lease, email, status=Status.FAILED, last_error=error.code)
        return
    if not error.unknown:
        # It certainly did not go out, so the clocks must not count it.
        _settle(lease, email, status=Status.QUEUED, begun_at=None, last_error=error.code)
        raise TryLater(error.code)
    if not _may_repeat(kind, email, timezone.now()):
        _settle(lease, email, status=Status.DOUBTFUL, last_error=error.code)
        return
    # Still `sending`: the clocks count it, and after the key's time it becomes doubtful.
    _settle(lease, email, last_error=error.code)
    raise TryLater(error.code)


def _settle(lease: Lease, email: OutboundEmail, **values: Any) -> None:
    with workspace_scope(lease.workspace_id):
        lease.hold()
        _put(email, **values)


def _put(email: OutboundEmail, **values: Any) -> None:
    """Write what became of the mail, and let its kind draw its conclusions in the same transaction."""
    OutboundEmail.objects.filter(pk=email.pk).update(**values)
    for name, value in values.items():
        setattr(email, name, value)
    if "status" in values and email.status not in (Status.QUEUED, Status.SENDING):
        mail_kinds.get(email.kind).on_settled(email)
