"""How mail gets through: doubtful ones, the last 30 days, the suppressed addresses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.db.models import Count, Q

from accounts.models import EmailSuppression, MailEvent, OutboundEmail

WINDOW = timedelta(days=30)
DOUBTFUL_SHOWN = 50
PER_PAGE = 50
# Gmail and Yahoo ask bulk senders to stay below 0.3 % complaints (sender guidelines, 2024).
COMPLAINTS_AT_MOST = 0.003
_SALT = "mail.suppressions"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Counts of WINDOW; shares are of `sent` and None without any."""

    sent: int
    delivered: int
    bounced: int
    complaints: int
    doubtful: int

    @property
    def bounce_share(self) -> float | None:
        return self.bounced / self.sent if self.sent else None

    @property
    def complaint_share(self) -> float | None:
        return self.complaints / self.sent if self.sent else None

    @property
    def has_too_many_complaints(self) -> bool:
        return (self.complaint_share or 0) >= COMPLAINTS_AT_MOST


def delivery(now: datetime) -> Delivery:
    mails = OutboundEmail.objects.aggregate(
        sent=Count("pk", filter=Q(status="sent", sent_at__gt=now - WINDOW)),
        doubtful=Count("pk", filter=Q(status="doubtful", reviewed_at__isnull=True)),
    )
    kinds = MailEvent.Kind
    reports = MailEvent.objects.filter(occurred_at__gt=now - WINDOW).aggregate(
        delivered=Count("email", filter=Q(kind=kinds.DELIVERED), distinct=True),
        bounced=Count("pk", filter=Q(kind=kinds.HARD_BOUNCE)),
        complaints=Count("pk", filter=Q(kind=kinds.COMPLAINT)),
    )
    return Delivery(**mails, **reports)


def doubtful_mails() -> Any:
    """Oldest first: nobody knows whether they came through."""
    rows = OutboundEmail.objects.filter(status=OutboundEmail.Status.DOUBTFUL, reviewed_at__isnull=True)
    return rows.select_related("contact__account", "text_version__text").order_by("pk")[:DOUBTFUL_SHOWN]


@dataclass(frozen=True)
class SuppressionPage:
    rows: list[EmailSuppression]
    next_cursor: str


def suppressions(*, reason: str, address_hash: bytes | None) -> Any:
    """Newest first; `address_hash` looks for one address, also one that was erased."""
    rows = EmailSuppression.objects.select_related("created_by").order_by("-created_at", "-pk")
    if reason:
        rows = rows.filter(reason=reason)
    return rows if address_hash is None else rows.filter(address_hash=address_hash)


def suppression_page(rows: Any, cursor: str) -> SuppressionPage:
    """A page of PER_PAGE rows after the cursor; a cursor that was tampered with begins anew."""
    if cursor:
        try:
            when, key = signing.loads(cursor, salt=_SALT)
            at = datetime.fromisoformat(when)
            rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=key))
        except (signing.BadSignature, ValueError, TypeError):
            pass
    found = list(rows[: PER_PAGE + 1])
    shown = found[:PER_PAGE]
    more = len(found) > PER_PAGE
    last = shown[-1] if shown else None
    return SuppressionPage(
        shown, signing.dumps([last.created_at.isoformat(), last.pk], salt=_SALT) if more and last else ""
    )
