"""The account's past for charts: scores by day, usage by day, and what the team did in the queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import BigIntegerField, CharField, DateField, FloatField, Value
from django.db.models.functions import Cast, Coalesce, NullIf
from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts.models import Account
from accounts.registry import TimelineEntry
from health.models import AccountDay, HealthScore, Resolution, ResolutionResult, Snooze

CHART_DAYS = 180
Past = tuple[list["ScorePoint"], dict[date, tuple[int, int]]]  # scores; events and people by day


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
    """The scores of the days up to today, oldest first."""
    return _past(account, today, days)[0]


def usage_history(account: Account, *, today: date, days: int = CHART_DAYS) -> list[UsageDay]:
    """The days before `today`, oldest first; empty when there was no event in all that time."""
    first = today - timedelta(days=days)
    found = _past(account, today, days)[1]
    if not found:
        return []
    every_day = (first + timedelta(days=n) for n in range(days))
    return [UsageDay(day, *found.get(day, (0, 0))) for day in every_day]


def _past(account: Account, today: date, days: int) -> Past:
    """Scores and used days of one account, read together, once for both charts of its page."""
    kept: dict[tuple[date, int], Past] = account.__dict__.setdefault("_past", {})
    if (today, days) not in kept:
        kept[today, days] = _read_past(account, today - timedelta(days=days), today)
    return kept[today, days]


def _read_past(account: Account, first: date, today: date) -> Past:
    scores = HealthScore.objects.filter(account=account, as_of__gt=first).order_by()
    used = AccountDay.objects.filter(account=account, day__gte=first, day__lt=today).order_by()
    no_number = Value(None, output_field=FloatField(null=True))
    nothing, zero = Value("", output_field=CharField()), Value(0, output_field=BigIntegerField())
    rows = scores.values_list(
        Value(0), "as_of", "score", "band", Cast("version__number", BigIntegerField()), zero
    ).union(
        used.values_list(
            Value(1),
            "day",
            no_number,
            nothing,
            Cast("events", BigIntegerField()),
            Cast("active_contacts", BigIntegerField()),
        ),
        all=True,
    )
    points, by_day = list[ScorePoint](), dict[date, tuple[int, int]]()
    for kind, day, score, band, number, people in rows.order_by("as_of"):
        if kind:
            by_day[day] = (number, people)
        else:
            points.append(ScorePoint(day, score, band, number))
    return points, by_day


def queue_entries(account: Account, limit: int) -> list[TimelineEntry]:
    """Resolutions and snoozes as lines of the timeline; one query."""
    resolved = Resolution.objects.filter(account=account, undone_at__isnull=True).values_list(
        "resolved_at", "result", "note", _name("resolved_by"), _NO_DAY
    )
    snoozed = Snooze.objects.filter(account=account).values_list(
        "snoozed_at", Value(""), "note", _name("snoozed_by"), "until"
    )
    return [_line(*row) for row in resolved.union(snoozed, all=True).order_by("-resolved_at")[:limit]]


_NO_DAY = Value(None, output_field=DateField(null=True))


def _name(user: str) -> Coalesce:
    """The person's name, else their address, else nothing."""
    name = NullIf(f"{user}__name", Value(""))
    return Coalesce(name, f"{user}__email", Value(""), output_field=CharField())


def _line(when: datetime, result: str, note: str, who: str, until: date | None) -> TimelineEntry:
    if until is None:
        title = gettext("Resolved: %(result)s") % {"result": ResolutionResult(result).label}
        return TimelineEntry(when, title, note, who, icon="circle-check")
    title = gettext("Snoozed until %(day)s") % {"day": date_format(until)}
    return TimelineEntry(when, title, note, who, icon="alarm-clock")


def week_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())
