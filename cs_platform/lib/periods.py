"""Days of a workspace as half-open intervals in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC. Where midnight is skipped, the instant after the gap."""
    wall = datetime.combine(day, time.min)
    for fold in (0, 1):
        instant = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == wall:
            return instant
    # A gap at midnight: PEP 495 maps fold=1 to the offset after it, fold=0 to the one before.
    return max(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The local day that contains an aware instant."""
    return moment.astimezone(zone).date()


def days(first: date, last: date) -> list[date]:
    """All days of the half-open interval [first, last)."""
    return [first + timedelta(days=i) for i in range((last - first).days)]


def month_of(day: date) -> date:
    """The first day of the day's month."""
    return day.replace(day=1)


def add_months(month: date, count: int) -> date:
    """The first day of the month `count` months later (or earlier)."""
    years, months = divmod(month.year * 12 + month.month - 1 + count, 12)
    return date(years, months + 1, 1)


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970 in UTC, without a detour through floating point."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
