"""Puts a retry on a local day and inside the allowed hours, at another minute for every invoice."""

from __future__ import annotations

import hashlib
from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LAST_DAY = -1
MOST_JITTER = timedelta(minutes=20)


def share_of(*parts: object) -> float:
    """A stable number in [0, 1) for these parts: spreads what would else happen at one instant."""
    text = ":".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest()) / 2**48


def instant(day: date, minute: int, zone: ZoneInfo) -> datetime | None:
    """The first instant at which local clocks show that minute of the day; None where they skip it."""
    wall = datetime.combine(day, time.min) + timedelta(minutes=minute)
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    return found if found.astimezone(zone).replace(tzinfo=None) == wall else None


def slot(
    day: date, *, hours: tuple[int, int], zone: ZoneInfo, not_before: datetime, share: float
) -> datetime | None:
    """An instant of the day in [hours), not before the given one; None when the day has no such minute left.

    The same for every `not_before` that it still keeps, so that asking again does not move it.
    """
    first, end = hours[0] * 60, hours[1] * 60
    wanted, seconds = first + int(share * (end - first)), timedelta(seconds=int(share * 7919 % 60))
    # Nearly always the first one. Late in the hours the next minute that is left; and clocks that are changed
    # skip some minutes and show others twice.
    for minute in (*range(wanted, end), *range(first, wanted)):
        begins = instant(day, minute, zone)
        if begins is not None and (found := begins + seconds) >= not_before:
            return found
    return None


def is_pay_day(day: date, pay_days: Iterable[int]) -> bool:
    """`pay_days` are days of the month; one that the month has not is its last day."""
    last = monthrange(day.year, day.month)[1]
    return any(day.day == (last if number == LAST_DAY else min(number, last)) for number in pay_days)


def first_pay_day(first: date, last: date, pay_days: Iterable[int]) -> date | None:
    """The first pay day in [first, last], both included."""
    numbers = tuple(pay_days)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return next((day for day in days if is_pay_day(day, numbers)), None)
