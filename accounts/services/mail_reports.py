"""Bounces and complaints: stored raw and verified before the answer, worked on later, each event once."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from accounts.gateways.mail_reports import PROVIDERS, Report, Unreadable, is_genuine, kept_headers, read
from accounts.models import InboundWebhook, Job, MailEvent, MailProvider, OutboundEmail, User
from accounts.services.audit import audit
from accounts.services.suppressions import (
    SOFT_BOUNCE_PAUSE,
    SOFT_BOUNCES_IN_A_ROW,
    Reason,
    address_hash,
    lock_person,
    suppress,
)

log = structlog.get_logger(__name__)

REPORT_JOB = "accounts.read_mail_report"
_SOURCE = "mail:"
Kind = MailEvent.Kind
Status = OutboundEmail.Status


@transaction.atomic
def connect_provider(*, name: str, secret: str, acting_user: User, now: datetime) -> tuple[MailProvider, str]:
    """Take reports of this provider from now on; returns the secret, which we make where the proof is a password."""
    if PROVIDERS[name].proof == "password":
        secret = secrets.token_urlsafe(24)
    provider, _ = MailProvider.objects.update_or_create(
        name=name,
        defaults={"secret": secret},
        create_defaults={"secret": secret, "created_by": acting_user, "created_at": now},
    )
    audit("accounts.mail_provider.connected", acting_user=acting_user, target=provider, provider=name)
    return provider, secret


@transaction.atomic
def disconnect_provider(*, provider: MailProvider, acting_user: User) -> None:
    audit(
        "accounts.mail_provider.disconnected",
        acting_user=acting_user,
        target=provider,
        provider=provider.name,
    )
    provider.delete()


@transaction.atomic
def receive(*, request: HttpRequest, now: datetime) -> InboundWebhook | None:
    """Store a genuine request of one of the workspace's providers, and its job; None for any other."""
    provider = next(
        (p for p in MailProvider.objects.order_by("pk") if is_genuine(p.name, p.secret, request)), None
    )
    if provider is None:
        return None
    MailProvider.objects.filter(pk=provider.pk).update(last_received_at=now)
    source = f"{_SOURCE}{provider.name}"
    row, created = InboundWebhook.objects.get_or_create(
        source=source,
        digest=hashlib.sha256(request.body).digest(),
        defaults={"headers": kept_headers(request), "body": request.body, "received_at": now},
    )
    if created:
        Job.objects.put(REPORT_JOB, row.pk)
    else:
        InboundWebhook.objects.filter(pk=row.pk).update(deliveries=F("deliveries") + 1)
    return row


def read_report(inbound_id: int) -> None:
    """Job: apply what a stored report says; the raw text goes once it is applied."""
    row = InboundWebhook.objects.select_for_update().filter(pk=inbound_id, processed_at__isnull=True).first()
    if row is None:
        return
    name = row.source.removeprefix(_SOURCE)
    try:
        reports = read(name, row.headers, bytes(row.body or b""), received_at=row.received_at)
    except Unreadable as error:
        log.warning("mail.report_unreadable", source=row.source, reason=str(error))
        reports = []
    for report in reports:
        apply_report(report, is_from_provider=name != "smtp", now=row.received_at)
    row.processed_at, row.headers, row.body = row.received_at, {}, None
    row.save(update_fields=["processed_at", "headers", "body"])


@transaction.atomic
def apply_report(report: Report, *, is_from_provider: bool, now: datetime) -> bool:
    """Once per event id. A bounce mail counts only for a mail we did send there: anybody can write one."""
    email = _mail_of(report)
    if email is None and not is_from_provider:
        return False
    address = email.to_address if email and not is_from_provider else report.recipient
    lock_person(address)
    _, created = MailEvent.objects.get_or_create(
        event_id=report.event_id,
        defaults={
            "email": email,
            "address_hash": address_hash(address),
            "kind": report.kind,
            "code": report.code,
            "occurred_at": report.occurred_at,
            "received_at": now,
        },
    )
    if created:
        _act(report, address, email, now)
    return created


def _mail_of(report: Report) -> OutboundEmail | None:
    mails = OutboundEmail.objects.order_by("-pk")
    found = None
    if report.reference:
        try:
            found = mails.filter(public_id=uuid.UUID(report.reference)).first()
        except ValueError:
            found = None
    if found is None and report.message_id:
        plain = report.message_id.strip("<>")
        found = (
            mails.filter(message_id__in=[plain, f"<{plain}>"]).first()
            or mails.filter(provider_id__in=[plain, report.message_id]).first()
        )
    return found


def _act(report: Report, address: str, email: OutboundEmail | None, now: datetime) -> None:
    if report.kind == Kind.HARD_BOUNCE:
        suppress(address, reason=Reason.HARD_BOUNCE, now=now)
    elif report.kind == Kind.COMPLAINT:
        suppress(address, reason=Reason.COMPLAINT, now=now)
    elif report.kind == Kind.UNSUBSCRIBED:
        suppress(address, reason=Reason.UNSUBSCRIBED, now=now)
    elif report.kind == Kind.SOFT_BOUNCE and _soft_bounces(address) >= SOFT_BOUNCES_IN_A_ROW:
        suppress(address, reason=Reason.SOFT_BOUNCES, until=now + SOFT_BOUNCE_PAUSE, now=now)
    elif report.kind == Kind.DELIVERED and email is not None:
        # The doubt about a mail ends when the mail system says it came through.
        OutboundEmail.objects.filter(pk=email.pk, status=Status.DOUBTFUL).update(
            status=Status.SENT, sent_at=report.occurred_at, last_error=""
        )


def _soft_bounces(address: str) -> int:
    """Since the last mail that came through."""
    events = MailEvent.objects.filter(address_hash=address_hash(address))
    last = events.filter(kind=Kind.DELIVERED).order_by("-occurred_at").first()
    soft = events.filter(kind=Kind.SOFT_BOUNCE)
    return int((soft.filter(occurred_at__gt=last.occurred_at) if last else soft).count())
