"""The training table: snapshots of the past, rebuilt where there were none, with their outcomes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from health.models import HealthScore
from health.queries.history import known_until, training_dates
from health.services.scores import score_day
from health.services.snapshots import is_fresh, take_snapshots

if TYPE_CHECKING:
    from health.ml import TrainingTable

Progress = Callable[[str, int, int], None]


def training_table(*, as_of: date, horizon_days: int, progress: Progress) -> TrainingTable:
    """Matured weekly rows before `as_of`; missing snapshots and scores of the past are made first."""
    from health.queries.features import training_table as read_table

    dates = training_dates(as_of=as_of, horizon_days=horizon_days)
    build_history(dates, progress=progress)
    return read_table(dates, horizon_days=horizon_days, known_until=known_until(as_of))


def build_history(dates: list[date], *, progress: Progress = lambda *_: None) -> None:
    """Snapshots (marked as rebuilt) and scores for those dates that have none; resumable.

    A rebuilt day that does not know the latest import is made again.
    """
    scored = set(HealthScore.objects.filter(as_of__in=dates).values_list("as_of", flat=True).distinct())
    for done, day in enumerate(dates, start=1):
        fresh = is_fresh(day)
        if not fresh:
            take_snapshots(as_of=day, is_rebuilt=True)
        if not fresh or day not in scored:
            score_day(as_of=day)
        progress("history", done, len(dates))
