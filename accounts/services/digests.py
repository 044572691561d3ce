"""One mail a day with what is new, in each member's own time zone; unique per member and local day."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import translation

from accounts.models import Membership, Notification, NotificationDigest, Workspace
from accounts.queries.holidays import calendar
from accounts.registry import notification_kinds
from accounts.services.mail import queue_mail
from cs_platform.lib.scoping import workspace_scope

MAIL_KIND = "accounts.digest"
HOUR = 8
_MAX_LINES = 40


def send_due_digests(now: datetime) -> int:
    """Write the digests that are due in all workspaces; returns how many mails were written."""
    return sum(
        _workspace_digests(pk, now) for pk in Workspace.objects.order_by("pk").values_list("pk", flat=True)
    )


def _workspace_digests(workspace_id: int, now: datetime) -> int:
    with workspace_scope(workspace_id):
        waiting = Notification.objects.filter(digest__isnull=True, in_digest=True, read_at__isnull=True)
        ids = waiting.order_by().values_list("membership_id", flat=True).distinct()
        members = Membership.objects.select_related("user", "workspace").filter(pk__in=ids, is_active=True)
        return sum(_digest(member, now) for member in members.order_by("pk"))


def _digest(membership: Membership, now: datetime) -> int:
    local = now.astimezone(zone_of(membership))
    if local.hour < HOUR or calendar(local.date()).is_off(local.date()):
        return 0
    with transaction.atomic():
        row, is_new = NotificationDigest.objects.get_or_create(membership=membership, local_date=local.date())
        return _write(row, membership) if is_new else 0


def zone_of(membership: Membership) -> ZoneInfo:
    """The member's own time zone, else the workspace's."""
    return ZoneInfo(membership.user.time_zone) if membership.user.time_zone else membership.workspace.zone


def _write(row: NotificationDigest, membership: Membership) -> int:
    """Take what is waiting into this digest and write its mail, in one transaction."""
    found = Notification.objects.select_for_update(of=("self",)).filter(
        membership=membership, digest__isnull=True, in_digest=True, read_at__isnull=True
    )
    told = list(found.select_related("account").order_by("-pk"))
    if not told:
        return 0
    Notification.objects.filter(pk__in=[n.pk for n in told]).update(digest=row)
    with translation.override(membership.user.language):
        groups = _groups(told)
    row.notifications = len(told)
    row.email = queue_mail(
        MAIL_KIND,
        to_address=membership.user.email,
        user=membership.user,
        language=membership.user.language,
        context={
            "groups": groups,
            "count": len(told),
            "more": max(0, len(told) - _MAX_LINES),
            "link": f"{settings.BASE_URL}/notifications/",
        },
    )
    row.save(update_fields=["notifications", "email"])
    return 1


def _groups(told: list[Notification]) -> list[dict[str, Any]]:
    """Lines by kind, in the kinds' order: [{"label", "lines": [{"title", "detail", "link"}]}]."""
    lines: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in told[:_MAX_LINES]:
        kind = notification_kinds.get(row.kind)
        title, detail = kind.words(row.context, row.account)
        link = settings.BASE_URL + kind.address(row.context, row.account)
        lines[row.kind].append({"title": title, "detail": detail, "link": link})
    kinds = sorted((notification_kinds.get(name) for name in lines), key=lambda kind: kind.order)
    return [{"label": str(kind.label), "lines": lines[kind.name]} for kind in kinds]
