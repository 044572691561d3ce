"""Outgoing messages: written with their cause, signed and delivered by jobs, retried for three days.

At least once: a crash after the hand-over repeats the same `webhook-id`, which receivers drop.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.gateways.webhooks import Taken, WebhookError, deliver, new_secret
from accounts.models import Job, User, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from accounts.registry import webhook_events
from accounts.services.audit import audit
from accounts.services.jobs import ComeBack, Lease
from accounts.services.notifications import notify_admins
from cs_platform.lib import http
from cs_platform.lib.scoping import workspace_scope

log = structlog.get_logger(__name__)

DELIVER_JOB = "accounts.deliver_webhook"
DISABLED_KIND = "accounts.webhook_disabled"
TEST_EVENT = "endpoint.test"
# The pauses that the Standard Webhooks specification proposes: nine tries within about three days.
PAUSES = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
]
LASTING = timedelta(days=5)
ROTATION = timedelta(hours=24)
Status = WebhookDelivery.Status


@transaction.atomic
def emit(event_type: str, payload: Mapping[str, Any], *, cause_key: str, now: datetime) -> int:
    """Tell every endpoint that wants this kind, once per cause; returns how many will be told.

    In the caller's transaction. An unknown event type raises. `payload` is JSON without secrets.
    """
    webhook_events.get(event_type)
    endpoints = _listening(event_type)
    if not endpoints:
        return 0
    message, is_new = WebhookMessage.objects.get_or_create(
        event_type=event_type,
        cause_key=cause_key[:200],
        defaults={"payload": dict(payload), "occurred_at": now},
    )
    return sum(_put(endpoint, message, now=now) for endpoint in endpoints) if is_new else 0


def _listening(event_type: str) -> list[WebhookEndpoint]:
    running = WebhookEndpoint.objects.filter(disabled_at__isnull=True, deleted_at__isnull=True)
    return [one for one in running if one.wants_all or event_type in one.event_types]


def is_anybody_listening(event_type: str) -> bool:
    """Whether a message of this kind would be told to anybody: for payloads that cost something to make."""
    return bool(_listening(event_type))


def _put(endpoint: WebhookEndpoint, message: WebhookMessage, *, now: datetime) -> int:
    delivery = WebhookDelivery.objects.create(endpoint=endpoint, message=message, created_at=now, next_at=now)
    Job.objects.put(DELIVER_JOB, delivery.pk)
    return 1


@transaction.atomic
def send_test(*, endpoint: WebhookEndpoint, acting_user: User, now: datetime) -> WebhookDelivery:
    """A message that says only "this works", to one endpoint."""
    message = WebhookMessage.objects.create(
        event_type=TEST_EVENT, cause_key=f"{endpoint.pk}:{now.isoformat()}", payload={}, occurred_at=now
    )
    _put(endpoint, message, now=now)
    return WebhookDelivery.objects.get(endpoint=endpoint, message=message)


@transaction.atomic
def replay(*, delivery: WebhookDelivery, acting_user: User, now: datetime) -> None:
    """Deliver again, with the same id; what is on its way already is only brought forward."""
    locked = WebhookDelivery.objects.select_for_update().get(pk=delivery.pk)
    locked.status, locked.next_at, locked.settled_at = Status.WAITING, now, None
    locked.attempts = 0
    locked.save(update_fields=["status", "next_at", "settled_at", "attempts"])
    Job.objects.put(DELIVER_JOB, locked.pk)
    audit("accounts.webhook_delivery.replayed", acting_user=acting_user, target=locked)


def deliver_webhook(lease: Lease) -> None:
    """Handler of the delivery job: read, hand over outside any transaction, settle under the fence."""
    with workspace_scope(lease.workspace_id):
        lease.hold()
        found = WebhookDelivery.objects.select_related("endpoint", "message").filter(pk=lease.object_id)
        delivery = found.first()
        if delivery is None or delivery.status != Status.WAITING:
            return
        if delivery.endpoint.deleted_at or delivery.endpoint.disabled_at:
            delivery.status = Status.CANCELED
            delivery.save(update_fields=["status"])
            return
        body = _body(delivery.message)
    now = timezone.now()
    try:
        taken = deliver(
            delivery.endpoint.url,
            message_id=f"msg_{delivery.message.public_id.hex}",
            body=body,
            keys=_keys(delivery.endpoint, now),
            now=now,
        )
    except WebhookError as error:
        _settle_failure(lease, delivery, error, now=now)
    else:
        _settle_success(lease, delivery, taken, now=now)


def _body(message: WebhookMessage) -> bytes:
    content = {
        "type": message.event_type,
        "timestamp": message.occurred_at.isoformat(),
        "data": message.payload,
    }
    return json.dumps(content, separators=(",", ":"), sort_keys=True).encode()


def _keys(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    older = endpoint.previous_until is not None and endpoint.previous_until > now
    return [endpoint.secret, endpoint.previous_secret] if older else [endpoint.secret]


def _settle_success(lease: Lease, delivery: WebhookDelivery, taken: Taken, *, now: datetime) -> None:
    with workspace_scope(lease.workspace_id):
        lease.hold()
        _log(delivery, now=now, seconds=taken.seconds, status=taken.status)
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            status=Status.DELIVERED, attempts=delivery.attempts + 1, next_at=None, settled_at=now
        )
        WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).update(failing_since=None)


def _settle_failure(lease: Lease, delivery: WebhookDelivery, error: WebhookError, *, now: datetime) -> None:
    tried = delivery.attempts + 1
    is_last = tried > len(PAUSES) or error.permanent
    pause = None if is_last else PAUSES[tried - 1]
    with workspace_scope(lease.workspace_id):
        lease.hold()
        _log(delivery, now=now, seconds=error.seconds, status=error.status, error=error.code)
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            attempts=tried,
            status=Status.FAILED if is_last else Status.WAITING,
            next_at=now + pause if pause else None,
            settled_at=now if is_last else None,
        )
        _note_failure(delivery.endpoint, error, now=now)
    if pause is not None:
        raise ComeBack(pause)


def _note_failure(endpoint: WebhookEndpoint, error: WebhookError, *, now: datetime) -> None:
    """Disable what has not taken a single message for five days, and what says that it is gone."""
    locked = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    locked.failing_since = locked.failing_since or now
    lasting = now - locked.failing_since >= LASTING
    if locked.disabled_at is None and (error.permanent or lasting):
        locked.disabled_at, locked.disabled_reason = now, "gone" if error.permanent else "failing"
        audit("accounts.webhook_endpoint.disabled", acting_user=None, target=locked, code=error.code)
        notify_admins(
            kind=DISABLED_KIND,
            cause_key=f"{locked.pk}:{now.isoformat()}",
            context={"endpoint": str(locked.public_id), "host": http.check_url(locked.url)},
            now=now,
        )
        log.warning("webhook.endpoint_disabled", endpoint_id=locked.pk, reason=locked.disabled_reason)
    locked.save(update_fields=["failing_since", "disabled_at", "disabled_reason"])


def _log(delivery: WebhookDelivery, *, now: datetime, seconds: float, status: int, error: str = "") -> None:
    WebhookAttempt.objects.create(
        delivery=delivery,
        number=WebhookAttempt.objects.filter(delivery=delivery).count() + 1,
        attempted_at=now,
        milliseconds=round(seconds * 1000),
        status_code=status,
        error=error,
    )


@transaction.atomic
def add_endpoint(
    *, url: str, description: str, event_types: list[str], acting_user: User, now: datetime
) -> WebhookEndpoint:
    """A new receiver with a secret of its own. Raises http.OutgoingError for an address that may not be called."""
    http.check_url(url)
    for name in event_types:
        webhook_events.get(name)
    endpoint = WebhookEndpoint.objects.create(
        url=url,
        description=description,
        event_types=event_types,
        secret=new_secret(),
        created_by=acting_user,
    )
    audit("accounts.webhook_endpoint.added", acting_user=acting_user, target=endpoint)
    return endpoint


@transaction.atomic
def change_endpoint(
    *, endpoint: WebhookEndpoint, url: str, description: str, event_types: list[str], acting_user: User
) -> None:
    http.check_url(url)
    endpoint.url, endpoint.description, endpoint.event_types = url, description, event_types
    endpoint.save(update_fields=["url", "description", "event_types"])
    audit("accounts.webhook_endpoint.changed", acting_user=acting_user, target=endpoint)


@transaction.atomic
def rotate_secret(*, endpoint: WebhookEndpoint, acting_user: User, now: datetime) -> None:
    """A new secret; the old one signs beside it for a day."""
    endpoint.previous_secret, endpoint.previous_until = endpoint.secret, now + ROTATION
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    audit("accounts.webhook_endpoint.secret_rotated", acting_user=acting_user, target=endpoint)


@transaction.atomic
def set_enabled(*, endpoint: WebhookEndpoint, enabled: bool, acting_user: User, now: datetime) -> None:
    """Switch an endpoint on (its failures are forgotten) or off (what waits is canceled at its turn)."""
    endpoint.disabled_at = None if enabled else now
    endpoint.disabled_reason = "" if enabled else "switched_off"
    endpoint.failing_since = None
    endpoint.save(update_fields=["disabled_at", "disabled_reason", "failing_since"])
    verb = "enabled" if enabled else "disabled"
    audit(f"accounts.webhook_endpoint.{verb}", acting_user=acting_user, target=endpoint)


@transaction.atomic
def delete_endpoint(*, endpoint: WebhookEndpoint, acting_user: User, now: datetime) -> None:
    endpoint.deleted_at = now
    endpoint.secret = endpoint.previous_secret = ""
    endpoint.save(update_fields=["deleted_at", "secret", "previous_secret"])
    audit("accounts.webhook_endpoint.deleted", acting_user=acting_user, target=endpoint)
