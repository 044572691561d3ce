"""Calendar steps of billing: a month after 31 January is the last of February, and then the 31st again."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta


def add_interval(start: int, interval: str, count: int = 1, *, anchor: int | None = None) -> int:
    """`start` plus count days, weeks, months or years (UTC); `anchor` gives the day of the month to return to."""
    moment = datetime.fromtimestamp(start, UTC)
    if interval in ("day", "week"):
        return int((moment + timedelta(days=count * (7 if interval == "week" else 1))).timestamp())
    months = count * (12 if interval == "year" else 1)
    place = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(place, 12)
    wanted = datetime.fromtimestamp(anchor, UTC).day if anchor else moment.day
    day = min(wanted, monthrange(year, month + 1)[1])
    return int(moment.replace(year=year, month=month + 1, day=day).timestamp())
