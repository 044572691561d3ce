"""On which days the workspace works."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from accounts.models import Holiday, Workspace
from cs_platform.lib.scoping import current_workspace_id

_AHEAD = timedelta(days=400)


@dataclass(frozen=True)
class Calendar:
    """Weekly working days (0 is Monday) and the holidays around a moment."""

    working_days: frozenset[int]
    holidays: frozenset[date]

    def is_weekend(self, day: date) -> bool:
        """Whether the weekday is one on which the workspace never works."""
        return day.weekday() not in self.working_days

    def is_holiday(self, day: date) -> bool:
        return day in self.holidays

    def is_off(self, day: date) -> bool:
        return self.is_weekend(day) or self.is_holiday(day)


def calendar(around: date) -> Calendar:
    """The running workspace's calendar from a day before `around` to about a year after it."""
    working = Workspace.objects.values_list("working_days", flat=True).get(pk=current_workspace_id())
    days = Holiday.objects.filter(day__gte=around - timedelta(days=1), day__lte=around + _AHEAD)
    return Calendar(frozenset(working), frozenset(days.values_list("day", flat=True)))
