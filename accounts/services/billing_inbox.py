"""The provider's messages: stored raw before the answer, once per message id; a job works on them later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from accounts.gateways.stripe.client import BillingError
from accounts.gateways.stripe.events import NO_FIT, OTHER_TIME, verify
from accounts.gateways.stripe.facts import EventFacts
from accounts.gateways.stripe.reading import parsed_event
from accounts.models import BillingConnection, BillingMessage, Job
from accounts.registry import billing_readers
from accounts.services.notifications import notify_admins
from cs_platform.lib.database_clock import database_now

MESSAGE_JOB = "accounts.billing_message"
PARKED_KIND = "accounts.billing_message_parked"
# Behind what people and their mails wait for: a month's bills of a large company are ten thousands of messages.
PRIORITY = 1
_SIGN_OF_LIFE = timedelta(seconds=5)
_UNPROVEN_EVERY = timedelta(minutes=1)
# Messages speak of many things; what is read afresh is one of these. The key is the object's type, the value
# the fields of the message's object that name what to read, in this order.
_READ_INSTEAD = {
    "charge": ("payment_intent", "id"),
    "refund": ("charge", "payment_intent"),
    "dispute": ("charge", "payment_intent"),
    "invoice_payment": ("invoice",),
    "discount": ("subscription", "customer"),
    "card": ("customer",),
    "source": ("customer",),
    "bank_account": ("customer",),
}
_READ_ITSELF = {
    "invoice",
    "subscription",
    "customer",
    "payment_method",
    "payment_intent",
    "price",
    "plan",
    "product",
}


def current_connection() -> BillingConnection | None:
    """The workspace's connected provider."""
    return BillingConnection.objects.filter(disconnected_at__isnull=True).first()


@transaction.atomic
def receive(*, body: bytes, header: str, now: datetime) -> BillingMessage | None:
    """Store a message of the running scope's provider and its job; None where no provider is connected.

    Raises BadSignature for what the provider did not send. A message that is here already only counts up.
    """
    connected = current_connection()
    if connected is None:
        return None
    data = verify(body, header, secrets_of(connected, now), now)
    received_at = database_now()
    if connected.last_message_at is None or connected.last_message_at < received_at - _SIGN_OF_LIFE:
        BillingConnection.objects.filter(pk=connected.pk).update(last_message_at=received_at)
    return store(data, body=body, received_at=received_at, note=not_ours(data, connected))


@transaction.atomic
def note_unproven(reason: str, *, now: datetime) -> None:
    """Somebody delivers what is not proven: most often the secret is another endpoint's. The page says so.

    Anybody can deliver, so it is written down once in a while only, and counts until a proven message comes.
    """
    if reason in (NO_FIT, OTHER_TIME):
        quiet = Q(unproven_at__isnull=True) | Q(unproven_at__lt=now - _UNPROVEN_EVERY)
        connected = BillingConnection.objects.filter(quiet, disconnected_at__isnull=True)
        connected.exclude(webhook_secret="").update(unproven_at=now, unproven_reason=reason)


def secrets_of(connected: BillingConnection, now: datetime) -> list[str]:
    """The webhook secret, and the former one while it still counts."""
    older = connected.previous_until is not None and connected.previous_until > now
    return [connected.webhook_secret, connected.previous_secret if older else ""]


def not_ours(data: Mapping[str, Any], connected: BillingConnection) -> str:
    """Why a message concerns another ledger than the connected one, in words; empty for ours.

    An endpoint for connected accounts gets the messages of all of them, and of both modes.
    """
    account, is_live = data.get("account"), data.get("livemode")
    if account and connected.account_ref and account != connected.account_ref:
        return "of another account"
    if isinstance(is_live, bool) and is_live != connected.is_live:
        return "of live mode" if is_live else "of a test mode"
    return ""


def store(
    data: Mapping[str, Any],
    *,
    body: bytes | None = None,
    received_at: datetime,
    was_listed: bool = False,
    note: str = "",
) -> BillingMessage:
    """One row and one job per message id, whoever told us of it: a delivery or the provider's list.

    With a `note` it is kept as one that needs no work, and why.
    """
    problem = ""
    try:
        event = parsed_event(dict(data))
    except BillingError as error:  # of an unknown shape: set aside for a person to look at
        event = EventFacts(str(data["id"]), str(data.get("type", "")), received_at, "", "", {}, False)
        problem = error.text
    raw = json.dumps(data).encode() if body is None else body
    target = target_of(event)
    is_idle = bool(note) or (not target and reader_of(event.type) is None and not problem)
    problem = "" if is_idle else problem
    row = BillingMessage(
        message_id=event.id[:200],
        message_type=event.type[:100],
        object_id=target[:200],
        body=None if is_idle else raw,
        made_at=event.created_at,
        received_at=received_at,
        processed_at=received_at if is_idle else None,
        parked_at=received_at if problem else None,
        last_error=(problem or note)[:200],
        was_listed=was_listed,
        deliveries=0 if was_listed else 1,
    )
    is_new = _keep(row)
    if is_new and not is_idle and not problem:
        Job.objects.put(MESSAGE_JOB, row.pk, priority=PRIORITY)
    elif is_new and problem:
        tell_parked(row, now=received_at)
    return row


def tell_parked(row: BillingMessage, *, now: datetime) -> None:
    """Tell the admins that such a message was set aside: once a day, as thousands may fail for one reason."""
    notify_admins(
        kind=PARKED_KIND,
        cause_key=f"{row.message_type}:{now.date()}",
        context={"type": row.message_type},
        now=now,
    )


def _keep(row: BillingMessage) -> bool:
    """Insert it in one statement, or count another delivery of the one that is here; returns whether it is new."""
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    names = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO accounts_billingmessage AS m ({names}) VALUES ({marks})"
            " ON CONFLICT (workspace_id, message_id) DO UPDATE SET deliveries = m.deliveries + excluded.deliveries"
            " RETURNING id, xmax = 0",  # xmax is what an update leaves in the row
            values,
        )
        row.pk, is_new = cursor.fetchone()
    return bool(is_new)


def target_of(event: EventFacts) -> str:
    """The id of what to read afresh after this message; empty for what the mirror does not hold."""
    if event.object_type in _READ_ITSELF:
        return event.object_id if not event.type.startswith("invoice.upcoming") else ""
    for name in _READ_INSTEAD.get(event.object_type, ()):
        value = event.object.get(name)
        found = value.get("id") if isinstance(value, Mapping) else value
        if found:
            return str(found)
    return ""


def reader_of(message_type: str) -> Any:
    """The registered reader of an app above for this kind of message, or None."""
    return next((reader for reader in billing_readers if message_type.startswith(reader.name)), None)


def drop_messages(before: datetime, limit: int) -> int:
    """Retention: forget messages that were worked on, and parked ones that nobody wanted."""
    ended = Q(processed_at__isnull=False) | Q(parked_at__isnull=False)
    old = BillingMessage.objects.filter(ended, received_at__lt=before).order_by("pk")
    ids = list(old.values_list("pk", flat=True)[:limit])
    BillingMessage.objects.filter(pk__in=ids).delete()
    return len(ids)
