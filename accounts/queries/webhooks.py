"""Endpoints with how they fare, and the delivery log of one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q

from accounts.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.registry import webhook_events

PAGE = 25
RECENT = timedelta(days=7)


@dataclass(frozen=True)
class EndpointRow:
    """`hears_of`: in words; empty for everything."""

    endpoint: WebhookEndpoint
    hears_of: list[str]
    sent: int
    delivered: int


@dataclass(frozen=True)
class DeliveryRow:
    id: int
    public_id: UUID
    event_type: str
    event_label: str
    payload: str
    status: str
    status_label: str
    tries: int
    last_answer: str
    created_at: datetime
    next_at: datetime | None
    log: list[WebhookAttempt]


def endpoints(now: datetime) -> list[EndpointRow]:
    """The workspace's endpoints with what they were sent and took in the last seven days."""
    recent = Q(deliveries__created_at__gte=now - RECENT)
    taken = recent & Q(deliveries__status=WebhookDelivery.Status.DELIVERED)
    rows = WebhookEndpoint.objects.filter(deleted_at__isnull=True).annotate(
        sent=Count("deliveries", filter=recent), delivered=Count("deliveries", filter=taken)
    )
    return [EndpointRow(row, hears_of(row), row.sent, row.delivered) for row in rows.order_by("pk")]


def hears_of(endpoint: WebhookEndpoint) -> list[str]:
    """What the endpoint chose to hear of, in words and in the order in which they are offered."""
    return [str(event.label) for event in webhook_events if event.name in endpoint.event_types]


def deliveries(
    endpoint: WebhookEndpoint, *, before: int | None = None, limit: int = PAGE
) -> list[DeliveryRow]:
    """What was sent to one endpoint, newest first, with every try."""
    rows = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("message")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [_row(row) for row in rows.prefetch_related("log").order_by("-pk")[:limit]]


def _row(delivery: WebhookDelivery) -> DeliveryRow:
    log = sorted(delivery.log.all(), key=lambda attempt: attempt.number)
    last = (str(log[-1].status_code) if log[-1].status_code else log[-1].error) if log else ""
    return DeliveryRow(
        delivery.pk,
        delivery.public_id,
        delivery.message.event_type,
        next((str(event.label) for event in webhook_events if event.name == delivery.message.event_type), ""),
        json.dumps(delivery.message.payload, indent=2, ensure_ascii=False),
        delivery.status,
        str(delivery.get_status_display()),
        len(log),
        last,
        delivery.created_at,
        delivery.next_at if delivery.status == WebhookDelivery.Status.WAITING and log else None,
        log,
    )
