"""After a publication: score, state, risks and queue of the latest night's day, at once."""

from __future__ import annotations

from django.utils import timezone

from cs_platform.lib.periods import local_day
from health.models import NightRun, RunStatus
from health.services.queue import fill_queue
from health.services.risks import find_risks
from health.services.scores import score_day
from health.services.states import refresh_states


def rescore(workspace_id: int) -> None:
    """Handler of the rescore job; runs in the workspace's scope, in one transaction with its completion."""
    night = NightRun.objects.filter(status=RunStatus.DONE).order_by("-as_of").first()
    if night is None:
        return
    score_day(as_of=night.as_of)
    refresh_states(as_of=night.as_of)
    now = timezone.now()
    find_risks(as_of=night.as_of, live_on=local_day(now, night.workspace.zone))
    fill_queue(as_of=night.as_of, now=now)
