"""Set when the workspace works."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from django.db import transaction

from accounts.models import Holiday, User, Workspace
from accounts.services.audit import audit

_LINE = re.compile(r"(\d{4}-\d{2}-\d{2})[\s,;]*(.*)")


class BadLine(ValueError):
    """A line of the list is no holiday; `number` counts from 1."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number, self.text = number, text


def parse_holidays(text: str) -> dict[date, str]:
    """Lines "2026-12-25 Christmas Day" (an ISO date, then a name) as {day: name}; raises BadLine."""
    found: dict[date, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        try:
            day = date.fromisoformat(match[1]) if match else None
        except ValueError:
            day = None
        if match is None or day is None:
            raise BadLine(number, line.strip()[:60])
        found[day] = match[2].strip()[:100]
    return found


@transaction.atomic
def set_calendar(
    *, workspace: Workspace, working_days: Iterable[int], holidays: dict[date, str], acting_user: User
) -> None:
    """Replace weekly working days and the whole list of holidays. Raises ValueError without a working day."""
    days = sorted(set(working_days))
    if not days or not set(days) <= set(range(7)):
        raise ValueError("working_days")
    Workspace.objects.filter(pk=workspace.pk).update(working_days=days)
    Holiday.objects.exclude(day__in=holidays).delete()
    for day, name in holidays.items():
        Holiday.objects.update_or_create(day=day, defaults={"name": name})
    audit(
        "accounts.workspace.calendar_changed",
        acting_user=acting_user,
        target=workspace,
        working_days=days,
        holidays=len(holidays),
    )
