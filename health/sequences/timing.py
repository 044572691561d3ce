"""When a wait is over, in the workspace's own days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SATURDAY = 5


def is_weekend(day: date) -> bool:
    return day.weekday() >= SATURDAY


def after_wait(
    begin: datetime,
    amount: int,
    unit: str,
    *,
    zone: ZoneInfo,
    is_off: Callable[[date], bool] = is_weekend,
) -> datetime:
    """`amount` hours, days or working days after `begin`, at the same local time of day.

    `is_off` says which local days are no working days; counting begins on the day after `begin`.
    """
    if unit == "hours":
        return begin + timedelta(hours=amount)
    local = begin.astimezone(zone)
    day = local.date()
    if unit == "days":
        day += timedelta(days=amount)
    else:
        left = amount
        while left:
            day += timedelta(days=1)
            left -= 0 if is_off(day) else 1
    return datetime.combine(day, local.time()).replace(tzinfo=zone).astimezone(UTC)


def around_date(moment: datetime, days: int, side: str) -> datetime:
    """So many days before or after a date of the account."""
    return moment + timedelta(days=-days if side == "before" else days)
