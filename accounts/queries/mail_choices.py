"""What a person who followed a mail's link may choose, and what holds now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import AccessLink, Contact, EmailSuppression, MailCategory, OutboundEmail


@dataclass(frozen=True)
class Choices:
    """`wanted`: categories that may come; `paused_until`: no optional mail until then."""

    wanted: list[str]
    paused_until: datetime | None
    is_suppressed: bool


def mail_of(link: AccessLink) -> OutboundEmail | None:
    return OutboundEmail.objects.filter(pk=link.object_id).first()


def address_of(link: AccessLink, email: OutboundEmail | None) -> str:
    """The address the mail went to; the person's own where the mail is gone; empty after an erasure."""
    return (email.to_address if email else "") or (link.contact.email if link.contact else "")


def masked(address: str) -> str:
    """`m•••@example.com`: enough to recognise one's own address, too little for anybody else."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}•••@{domain}"


def spellings(address: str) -> list[str]:
    """An address as given and in small letters: equality uses the index under row-level security, LIKE does not."""
    return sorted({address.strip(), address.strip().lower()})


def people_at(address: str) -> list[Contact]:
    return list(Contact.objects.filter(email__in=spellings(address))) if address else []


def choices_of(address_hash: bytes, now: datetime) -> Choices:
    rows = list(
        EmailSuppression.objects.filter(Q(until__isnull=True) | Q(until__gt=now), address_hash=address_hash)
    )
    refused = {row.category for row in rows if row.reason == EmailSuppression.Reason.UNSUBSCRIBED}
    wanted = [] if "" in refused else [c for c in MailCategory.values if c not in refused]
    pauses = [row.until for row in rows if row.reason == EmailSuppression.Reason.PAUSED and row.until]
    others = {row.reason for row in rows} - {
        EmailSuppression.Reason.UNSUBSCRIBED,
        EmailSuppression.Reason.PAUSED,
    }
    return Choices(wanted, max(pauses, default=None), bool(others))
