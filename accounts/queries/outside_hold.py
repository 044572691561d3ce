"""What would go out if the workspace were released now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.models import OutboundEmail, WebhookDelivery

SHOWN = 50


@dataclass(frozen=True)
class WaitingMail:
    kind: str
    to_address: str
    created_at: datetime


@dataclass(frozen=True)
class Held:
    mails: int
    webhooks: int
    newest: list[WaitingMail]


def held() -> Held:
    """Counts of mails and webhook messages that wait, and the newest mails by name."""
    open_states = (OutboundEmail.Status.QUEUED, OutboundEmail.Status.SENDING)
    mails = OutboundEmail.objects.filter(status__in=open_states)
    rows = mails.order_by("-pk").values_list("kind", "to_address", "created_at")[:SHOWN]
    waiting = WebhookDelivery.objects.filter(status=WebhookDelivery.Status.WAITING)
    return Held(mails.count(), waiting.count(), [WaitingMail(*row) for row in rows])
