"""When a person may be disturbed: 08:00 to 20:00 on working days of their own zone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from accounts.models import Contact
from accounts.queries.holidays import Calendar

OPENS, CLOSES = time(8), time(20)
_LONGEST_REST = 31
_ZONE_TRAITS = ("time_zone", "timezone", "timeZone")


def zone_of(contact: Contact) -> ZoneInfo:
    """The person's zone where a trait names one, else the workspace's."""
    for trait in _ZONE_TRAITS:
        name = contact.traits.get(trait)
        if isinstance(name, str) and name:
            try:
                return ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                continue
    zone: ZoneInfo = contact.workspace.zone
    return zone


def closed_because(now: datetime, zone: ZoneInfo, *, calendar: Calendar) -> str:
    """ "quiet_hours", "weekend" or "holiday"; empty while the person may be disturbed."""
    local = now.astimezone(zone)
    if calendar.is_weekend(local.date()):
        return "weekend"
    if calendar.is_holiday(local.date()):
        return "holiday"
    return "" if OPENS <= local.time() < CLOSES else "quiet_hours"


def next_opening(now: datetime, zone: ZoneInfo, *, calendar: Calendar) -> datetime:
    """The first moment from `now` on (UTC) in which the person may be disturbed."""
    if not closed_because(now, zone, calendar=calendar):
        return now
    day = now.astimezone(zone).date()
    for _ in range(_LONGEST_REST):
        opening = datetime.combine(day, OPENS, zone).astimezone(UTC)
        if opening > now and not closed_because(opening, zone, calendar=calendar):
            return opening
        day += timedelta(days=1)
    return now + timedelta(days=_LONGEST_REST)
