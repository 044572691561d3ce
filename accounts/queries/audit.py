"""The audit log as its page shows it: filtered, in keyset pages, with people's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet

from accounts.models import AuditEntry, Membership, User
from accounts.registry import audit_actions, audit_objects
from cs_platform.lib.ids import read_uuid
from cs_platform.lib.scoping import current_workspace_id

PAGE = 50
EXPORT_ROWS = 50_000
_MANY = 10_000
# Jumps from one action to the next in the index instead of reading every entry.
_ACTIONS = """
    WITH RECURSIVE found AS (
      (SELECT action FROM accounts_auditentry WHERE workspace_id = %(w)s ORDER BY action LIMIT 1)
      UNION ALL
      SELECT (SELECT action FROM accounts_auditentry WHERE workspace_id = %(w)s AND action > found.action
               ORDER BY action LIMIT 1) FROM found WHERE found.action IS NOT NULL
    ) SELECT action FROM found WHERE action IS NOT NULL"""


@dataclass(frozen=True)
class AuditFilter:
    """What was asked for. What cannot be read counts as not asked. Days are the workspace's."""

    who: str = ""
    action: str = ""
    object: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> AuditFilter:
        return cls(
            who=query.get("who", "")[:40],
            action=query.get("action", "").replace("\0", "")[:80],
            object=_object(query.get("object", "")),
            since=_day(query.get("since", "")),
            until=_day(query.get("until", "")),
        )

    @property
    def is_empty(self) -> bool:
        return self == AuditFilter()

    def rows(self, zone: ZoneInfo) -> QuerySet[AuditEntry]:
        found = AuditEntry.objects.all()
        if self.who == "system":
            found = found.filter(actor_id__isnull=True)
        elif (user_id := _user_id(self.who)) is not None:
            found = found.filter(actor_id=user_id)
        if self.action:
            found = found.filter(action=self.action)
        if self.object:
            kind, _, number = self.object.partition(":")
            found = found.filter(object_type=kind, object_id=int(number))
        if self.since:
            found = found.filter(created_at__gte=_start(self.since, zone))
        if self.until and self.until < date.max:
            found = found.filter(created_at__lt=_start(self.until + timedelta(days=1), zone))
        rows: QuerySet[AuditEntry] = found
        return rows


@dataclass(frozen=True)
class AuditRow:
    """`actor` is the name, empty for the system; `object` is "app.model:id" or empty."""

    id: int
    created_at: datetime
    actor: str
    action: str
    object: str
    data: dict[str, Any]

    @property
    def action_words(self) -> str:
        return words_of(self.action)

    @property
    def details(self) -> list[tuple[str, str]]:
        """The codes and ids that were noted, one text each."""
        return [
            (key, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
            for key, value in self.data.items()
        ]

    @property
    def object_words(self) -> str:
        return object_words(self.object)


@dataclass(frozen=True)
class AuditPage:
    """`older` and `newer` are the cursors of the neighbours, None where there is none."""

    rows: list[AuditRow]
    older: int | None
    newer: int | None


def audit_page(wanted: AuditFilter, *, zone: ZoneInfo, before: int | None, after: int | None) -> AuditPage:
    """One page, newest first: entries below `before`, or else the ones just above `after`. Two queries."""
    rows = wanted.rows(zone)
    if after is not None:
        found = list(rows.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
        shown = found[:PAGE][::-1]
        newer, older = len(found) > PAGE, bool(shown)
    else:
        narrowed = rows if before is None else rows.filter(pk__lt=before)
        found = list(narrowed.order_by("-pk")[: PAGE + 1])
        shown = found[:PAGE]
        newer, older = before is not None and bool(shown), len(found) > PAGE
    return AuditPage(
        _named(shown), shown[-1].pk if older and shown else None, shown[0].pk if newer and shown else None
    )


def audit_count(wanted: AuditFilter, zone: ZoneInfo) -> tuple[int, bool]:
    """How many entries fit, counted up to ten thousand; whether there are more."""
    count = wanted.rows(zone)[: _MANY + 1].count()
    return min(count, _MANY), count > _MANY


def audit_export(wanted: AuditFilter, zone: ZoneInfo) -> list[AuditRow]:
    """The newest entries that fit, at most EXPORT_ROWS."""
    return _named(list(wanted.rows(zone).order_by("-pk")[:EXPORT_ROWS]))


def actions() -> list[tuple[str, str]]:
    """Every action that occurs as (code, words), in the order of the words."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTIONS, {"w": current_workspace_id()})
        found = [(row[0], words_of(row[0])) for row in cursor.fetchall()]
    return sorted(found, key=lambda each: each[1])


def words_of(action: str) -> str:
    """What an action did; its code where a part of the product that is gone once wrote it."""
    return str(audit_actions.get(action).label) if action in audit_actions else action


def object_words(code: str) -> str:
    """ "Scorecard 7" of "health.scorecard:7"."""
    kind, _, number = code.partition(":")
    return f"{audit_objects.get(kind).label} {number}" if kind in audit_objects else code


def people() -> list[tuple[str, str]]:
    """Members, also former ones, as (public id, name)."""
    rows = Membership.objects.select_related("user").order_by("user__name", "user__email")
    return [(str(row.public_id), str(row.user)) for row in rows]


def _named(entries: list[AuditEntry]) -> list[AuditRow]:
    ids = {entry.actor_id for entry in entries if entry.actor_id}
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=ids)}
    return [
        AuditRow(
            entry.pk,
            entry.created_at,
            names.get(entry.actor_id, f"#{entry.actor_id}") if entry.actor_id else "",
            entry.action,
            f"{entry.object_type}:{entry.object_id}" if entry.object_id else "",
            entry.data,
        )
        for entry in entries
    ]


def _user_id(who: str) -> int | None:
    public_id = read_uuid(who)
    if public_id is None:
        return None
    return Membership.objects.filter(public_id=public_id).values_list("user_id", flat=True).first()


def _object(text: str) -> str:
    kind, _, number = text.partition(":")
    return (
        text
        if kind and "\0" not in kind and number.isdecimal() and len(number) < 19 and number.isascii()
        else ""
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)
