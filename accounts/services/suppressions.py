"""Addresses that get no mail, or no optional mail: added by bounces, by the person, by hand."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import EmailSuppression, MailCategory, User
from accounts.services.audit import audit
from cs_platform.lib.scoping import current_workspace_id

Reason = EmailSuppression.Reason
SOFT_BOUNCES_IN_A_ROW = 3
SOFT_BOUNCE_PAUSE = timedelta(days=14)
PERSON_LOCK = 7002


def address_hash(address: str) -> bytes:
    return hashlib.sha256(address.strip().lower().encode()).digest()


def lock_person(address: str) -> None:
    """Until the transaction ends nobody else decides about mail to this address.

    Sending and unsubscribing both take it, so one of them is first; an address without rows can be
    locked too, which a row lock could not.
    """
    digest = hashlib.sha256(str(current_workspace_id()).encode() + address_hash(address)).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)", [PERSON_LOCK, int.from_bytes(digest[:4], signed=True)]
        )


def in_force(address: str, *, now: datetime) -> Any:
    """Suppressions that hold now, as a queryset."""
    return EmailSuppression.objects.filter(
        Q(until__isnull=True) | Q(until__gt=now), address_hash=address_hash(address)
    )


@transaction.atomic
def suppress(
    address: str,
    *,
    reason: str,
    category: str = "",
    is_total: bool | None = None,
    until: datetime | None = None,
    note: str = "",
    acting_user: User | None = None,
    now: datetime | None = None,
) -> EmailSuppression:
    """No more (optional) mail to this address. Doing it twice keeps the first, with the later `until`.

    A hard bounce stops everything; the others leave transactional mail alone unless `is_total`.
    """
    lock_person(address)
    row, created = EmailSuppression.objects.get_or_create(
        address_hash=address_hash(address),
        reason=reason,
        category=category,
        defaults={
            "address": address.strip(),
            "is_total": reason == Reason.HARD_BOUNCE if is_total is None else is_total,
            "until": until,
            "note": note,
            "created_by": acting_user,
            "created_at": now or timezone.now(),
        },
    )
    if created:
        audit("accounts.suppression.added", acting_user=acting_user, target=row, reason=reason)
    elif row.until is not None:
        row.until = None if until is None else max(row.until, until)
        row.save(update_fields=["until"])
    return row


@transaction.atomic
def lift(*, suppression: EmailSuppression, acting_user: User | None) -> None:
    """Let mail go to the address again."""
    audit(
        "accounts.suppression.removed",
        acting_user=acting_user,
        target=suppression,
        reason=suppression.reason,
        category=suppression.category,
    )
    suppression.delete()


def unsubscribe(address: str, *, categories: list[str] | None, now: datetime) -> None:
    """By the person: from everything optional (None), or from some categories."""
    for category in [""] if categories is None else categories:
        if category and category not in MailCategory.values:
            raise ValueError(f"unknown category {category!r}")
        suppress(address, reason=Reason.UNSUBSCRIBED, category=category, now=now)


@transaction.atomic
def choose_categories(address: str, *, wanted: list[str], now: datetime) -> None:
    """By the person on the preference page: exactly these categories are wanted from now on."""
    lock_person(address)
    own = EmailSuppression.objects.filter(address_hash=address_hash(address), reason=Reason.UNSUBSCRIBED)
    refused = [category for category in MailCategory.values if category not in wanted] if wanted else [""]
    for row in own.exclude(category__in=refused):
        lift(suppression=row, acting_user=None)
    unsubscribe(address, categories=refused, now=now)


@transaction.atomic
def pause(address: str, *, until: datetime | None, now: datetime) -> None:
    """By the person: no optional mail until then; None ends the pause."""
    lock_person(address)
    for row in EmailSuppression.objects.filter(address_hash=address_hash(address), reason=Reason.PAUSED):
        lift(suppression=row, acting_user=None)
    if until is not None:
        suppress(address, reason=Reason.PAUSED, until=until, now=now)
