"""What a member has to read: the bell's number, the page's rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import Membership, Notification, NotificationChoice
from accounts.registry import NotificationKind, notification_kinds

PAGE = 30
# The bell says "99+" from here on; counting further would cost more than it tells.
MOST = 100


@dataclass(frozen=True)
class NotificationRow:
    public_id: UUID
    title: str
    detail: str
    icon: str
    created_at: datetime
    is_unread: bool
    id: int


@dataclass(frozen=True)
class ChoiceRow:
    kind: NotificationKind
    in_app: bool
    in_digest: bool


def unread_count(membership: Membership) -> int:
    """Unread notifications in the app, counted up to MOST."""
    rows = Notification.objects.filter(membership=membership, read_at__isnull=True, in_app=True)
    return rows.order_by()[:MOST].count()


def newest(membership: Membership, *, before: int | None = None, limit: int = PAGE) -> list[NotificationRow]:
    """The member's notifications, newest first, older than the row `before`."""
    rows = Notification.objects.filter(
        membership=membership, in_app=True, kind__in=notification_kinds.names()
    )
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [_row(row) for row in rows.select_related("account").order_by("-pk")[:limit]]


def _row(row: Notification) -> NotificationRow:
    kind = notification_kinds.get(row.kind)
    title, detail = kind.words(row.context, row.account)
    return NotificationRow(
        row.public_id, title, detail, kind.icon, row.created_at, row.read_at is None, row.pk
    )


def choices_of(membership: Membership, kinds: list[NotificationKind]) -> list[ChoiceRow]:
    """Where the member hears of each of these kinds."""
    chosen = {row.kind: row for row in NotificationChoice.objects.filter(membership=membership)}
    rows = []
    for kind in sorted(kinds, key=lambda kind: kind.order):
        choice = chosen.get(kind.name)
        rows.append(
            ChoiceRow(kind, choice.in_app, choice.in_digest)
            if choice
            else ChoiceRow(kind, kind.in_app, kind.in_digest)
        )
    return rows
