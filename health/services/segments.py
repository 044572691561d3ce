"""Stage "segment", and what a changed segment means for the scores."""

from __future__ import annotations

from datetime import date, datetime

import structlog

from accounts.models import Job
from accounts.services.segments import refresh_segments
from cs_platform.lib.scoping import current_workspace_id
from health.models import Scorecard
from health.services.assignment import hand_out_nightly
from health.services.scorecards import RESCORE_JOB
from health.services.scores import moved_cards, score_day
from health.services.states import refresh_states

log = structlog.get_logger("health.segments")


def fill_segments(*, as_of: date, now: datetime) -> int:
    """Write who is in each segment; returns the stays opened and closed.

    Accounts that thereby belong to another scorecard are scored by it on the same night, and new customers
    get their CSM where the workspace wants that. Rescoring cannot
    go round in circles, because the segments of scorecards may not ask for the score.
    """
    moved = refresh_segments(now=now)
    if changed := moved_cards(as_of=as_of):
        score_day(as_of=as_of)
        refresh_states(as_of=as_of)
        log.info("health.segments.rescored", accounts=changed)
    hand_out_nightly(now=now)
    return moved


def segment_changed(segment_id: int) -> None:
    """Handler: a segment was published; where a scorecard stands on it, scores follow at once."""
    if Scorecard.objects.filter(segment_id=segment_id, retired_at__isnull=True).exists():
        Job.objects.put(RESCORE_JOB, current_workspace_id(), priority=-5)
