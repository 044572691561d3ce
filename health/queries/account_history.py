"""The account's past for charts: scores by day, usage by day, and what the team did in the queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts.models import Account
from accounts.registry import TimelineEntry
from health.models import AccountDay, HealthScore, Resolution, Snooze

CHART_DAYS = 180


@dataclass(frozen=True, slots=True)
class ScorePoint:
    as_of: date
    score: float | None
    band: str
    version: int


@dataclass(frozen=True, slots=True)
class UsageDay:
    """One local day; days without any event are filled in with zeros."""

    day: date
    events: int
    active_contacts: int


def score_history(account: Account, *, today: date, days: int = CHART_DAYS) -> list[ScorePoint]:
    rows = HealthScore.objects.filter(account=account, as_of__gt=today - timedelta(days=days)).order_by(
        "as_of"
    )
    return [ScorePoint(*row) for row in rows.values_list("as_of", "score", "band", "version__number")]


def usage_history(account: Account, *, today: date, days: int = CHART_DAYS) -> list[UsageDay]:
    """The days before `today`, oldest first; empty when there was no event in all that time."""
    first = today - timedelta(days=days)
    rows = AccountDay.objects.filter(account=account, day__gte=first, day__lt=today)
    found = {
        day: (events, people) for day, events, people in rows.values_list("day", "events", "active_contacts")
    }
    if not found:
        return []
    every_day = (first + timedelta(days=n) for n in range(days))
    return [UsageDay(day, *found.get(day, (0, 0))) for day in every_day]


def queue_entries(account: Account, limit: int) -> list[TimelineEntry]:
    """Resolutions and snoozes as lines of the timeline."""
    resolved = Resolution.objects.filter(account=account, undone_at__isnull=True).select_related(
        "resolved_by"
    )
    snoozed = Snooze.objects.filter(account=account).select_related("snoozed_by")
    return [_resolution(row) for row in resolved.order_by("-resolved_at")[:limit]] + [
        _snooze(row) for row in snoozed.order_by("-snoozed_at")[:limit]
    ]


def _resolution(row: Resolution) -> TimelineEntry:
    title = gettext("Resolved: %(result)s") % {"result": row.get_result_display()}
    who = str(row.resolved_by) if row.resolved_by else ""
    return TimelineEntry(row.resolved_at, title, row.note, who, icon="circle-check")


def _snooze(row: Snooze) -> TimelineEntry:
    title = gettext("Snoozed until %(day)s") % {"day": date_format(row.until)}
    who = str(row.snoozed_by) if row.snoozed_by else ""
    return TimelineEntry(row.snoozed_at, title, row.note, who, icon="alarm-clock")


def week_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())
