"""Is every workspace's night done? Asked by the readiness check, so remembered for a minute."""

import time
from datetime import date, datetime, timedelta

from accounts.models import Workspace
from cs_platform.lib.scoping import workspace_scope
from health.models import NightRun, RunStatus
from health.services.nights import due_date

LATE_AFTER = timedelta(hours=3)
REMEMBERED_SECONDS = 60.0

_answer: tuple[float, bool] = (float("-inf"), True)


def nights_are_done(now: datetime) -> bool:
    """False when a workspace's night should have been finished three hours ago and is not."""
    global _answer
    asked, done = _answer
    if time.monotonic() - asked > REMEMBERED_SECONDS:
        done = not any(is_late(workspace, now) for workspace in Workspace.objects.all())
        _answer = (time.monotonic(), done)
    return done


def is_late(workspace: Workspace, now: datetime) -> bool:
    """A workspace of today has had no night yet and is never late."""
    expected = expected_date(workspace, now)
    if workspace.created_at > now - timedelta(days=1) - LATE_AFTER:
        return False
    with workspace_scope(workspace.pk):
        return not NightRun.objects.filter(as_of__gte=expected, status=RunStatus.DONE).exists()


def expected_date(workspace: Workspace, now: datetime) -> date:
    """The newest local date whose night must be finished by now."""
    then = now - LATE_AFTER
    if found := due_date(workspace, then):
        return found
    return then.astimezone(workspace.zone).date() - timedelta(days=1)
