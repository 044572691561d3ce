"""What the report page is asked for: months, comparison and split as one typed value."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.translation import gettext

from cs_platform.lib.periods import add_months, day_start, local_day, microseconds, month_of

PERIODS = (12, 24)
MOST_MONTHS = 120
_MONTH = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True)
class Period:
    """Whole local months [first, end), at most one of them still running at `now`."""

    first: date
    end: date
    now: datetime
    zone: ZoneInfo

    @cached_property
    def months(self) -> tuple[date, ...]:
        count = (self.end.year - self.first.year) * 12 + self.end.month - self.first.month
        return tuple(add_months(self.first, at) for at in range(count))

    @property
    def running(self) -> date:
        """The month that is not over at `now`."""
        return month_of(local_day(self.now, self.zone))

    @property
    def has_running(self) -> bool:
        return bool(self.months) and self.months[-1] == self.running

    @property
    def full_months(self) -> tuple[date, ...]:
        """The months that are over: rates and totals of the period are made of these only."""
        return self.months[:-1] if self.has_running else self.months

    def boundary(self, month: date) -> int:
        """The month's first instant, or `now` where that has not come yet, in microseconds."""
        return min(microseconds(day_start(month, self.zone)), microseconds(self.now))

    @property
    def boundaries(self) -> list[int]:
        """One more than months; the last is `now` while the last month runs."""
        return [self.boundary(month) for month in (*self.months, self.end)]

    @property
    def start(self) -> int:
        return self.boundary(self.first)

    @property
    def instants(self) -> tuple[datetime, datetime]:
        """The first instant of the period and the one after its last, as times."""
        return min(day_start(self.first, self.zone), self.now), min(day_start(self.end, self.zone), self.now)

    @property
    def full_end(self) -> int:
        """Where the last full month ends."""
        return self.boundary(add_months(self.full_months[-1], 1)) if self.full_months else self.start

    def before(self) -> Period:
        """As many full months right before this period."""
        count = len(self.full_months) or 1
        return replace(self, first=add_months(self.first, -count), end=self.first)


@dataclass(frozen=True)
class ReportFilter:
    """The query string of the page. `errors` say what of it could not be read; defaults stand in for that."""

    period: Period
    months: int
    is_custom: bool
    from_text: str
    to_text: str
    split: str
    compare: bool
    tab: str
    errors: tuple[str, ...]

    @classmethod
    def from_query(cls, query: QueryDict, *, now: datetime, zone: ZoneInfo) -> ReportFilter:
        """`months` 12 or 24, or `from` and `to` (YYYY-MM, both included); `split`, `compare`, `tab`."""
        from_text, to_text = query.get("from", "").strip(), query.get("to", "").strip()
        months = int(query.get("months", "")) if query.get("months") in ("12", "24") else PERIODS[0]
        running = month_of(local_day(now, zone))
        first, end, errors = add_months(running, -months), add_months(running, 1), []
        is_custom = bool(from_text or to_text)
        if is_custom:
            found = custom_months(from_text, to_text, running)
            if isinstance(found, str):
                errors.append(found)
            else:
                first, end = found
        return cls(
            period=Period(first, end, now, zone),
            months=months,
            is_custom=is_custom,
            from_text=from_text,
            to_text=to_text,
            split=query.get("split", ""),
            compare=query.get("compare") == "1",
            tab=query.get("tab", ""),
            errors=tuple(errors),
        )


def custom_months(from_text: str, to_text: str, running: date) -> tuple[date, date] | str:
    """[first, end) of the months typed in, or what is wrong with them. An empty `to` means the running month."""
    first, last = _month(from_text), _month(to_text) if to_text else running
    if first is None or last is None:
        return gettext("Give months as year and month, for example 2026-03.")
    if first > last:
        return gettext("The first month is later than the last one.")
    if first > running:
        return gettext("These months have not begun yet.")
    last = min(last, running)
    if (last.year - first.year) * 12 + last.month - first.month >= MOST_MONTHS:
        return gettext("Choose at most %(n)d months.") % {"n": MOST_MONTHS}
    return first, add_months(last, 1)


def _month(text: str) -> date | None:
    match = _MONTH.fullmatch(text)
    if not match or not 1900 <= int(match[1]) <= 9000 or not 1 <= int(match[2]) <= 12:
        return None
    return date(int(match[1]), int(match[2]), 1)
