"""Tell the workspace's people about something new: once per cause, where each wants to hear of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Account, Membership, Notification, NotificationChoice, Role
from accounts.registry import NotificationKind, notification_kinds

ASSIGNED_KIND = "accounts.assigned"
IMPORTED_KIND = "accounts.import_finished"


@transaction.atomic
def notify(
    *,
    kind: str,
    membership: Membership,
    cause_key: str,
    context: Mapping[str, Any],
    now: datetime,
    account: Account | None = None,
) -> Notification | None:
    """Write one notification in the caller's transaction; None when it was told already or is not wanted.

    `cause_key` names the cause, not the moment: the same key never tells twice. `context` holds
    numbers and codes for the kind's words; unknown kinds raise.
    """
    spec = notification_kinds.get(kind)
    in_app, in_digest = wishes(membership, spec)
    if not membership.is_active or not (in_app or in_digest):
        return None
    row, is_new = Notification.objects.get_or_create(
        membership=membership,
        kind=kind,
        cause_key=cause_key[:200],
        defaults={
            "account": account,
            "context": dict(context),
            "created_at": now,
            "in_app": in_app,
            "in_digest": in_digest,
        },
    )
    return row if is_new else None


def notify_admins(*, kind: str, cause_key: str, context: Mapping[str, Any], now: datetime) -> int:
    """Tell every owner and admin; returns how many were told."""
    admins = Membership.objects.filter(is_active=True, role__in=[Role.OWNER, Role.ADMIN])
    told = [
        notify(kind=kind, membership=member, cause_key=cause_key, context=context, now=now)
        for member in admins
    ]
    return sum(1 for row in told if row is not None)


def tell_assigned(
    *, membership: Membership, account_ids: Sequence[int], cause_key: str, now: datetime
) -> None:
    """Tell a CSM that accounts are theirs now; one notification for the whole act."""
    names = list(
        Account.objects.filter(pk__in=account_ids).order_by("name").values_list("name", flat=True)[:5]
    )
    notify(
        kind=ASSIGNED_KIND,
        membership=membership,
        cause_key=cause_key,
        context={"count": len(account_ids), "names": names},
        account=Account.objects.get(pk=account_ids[0]) if len(account_ids) == 1 else None,
        now=now,
    )


def wishes(membership: Membership, spec: NotificationKind) -> tuple[bool, bool]:
    """(in the app, in the digest) for one kind."""
    choice = NotificationChoice.objects.filter(membership=membership, kind=spec.name).first()
    return (choice.in_app, choice.in_digest) if choice else (spec.in_app, spec.in_digest)


@transaction.atomic
def choose(*, membership: Membership, kind: str, in_app: bool, in_digest: bool) -> None:
    notification_kinds.get(kind)
    NotificationChoice.objects.update_or_create(
        membership=membership, kind=kind, defaults={"in_app": in_app, "in_digest": in_digest}
    )


def mark_read(*, membership: Membership, now: datetime, public_id: str | None = None) -> int:
    """Read one, or all of them; returns how many were unread."""
    rows = Notification.objects.filter(membership=membership, read_at__isnull=True)
    if public_id is not None:
        rows = rows.filter(public_id=public_id)
    return rows.update(read_at=now)
