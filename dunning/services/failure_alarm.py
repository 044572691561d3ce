"""After each night: tell the admins when more first attempts fail than usual, once a week at most."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Workspace
from accounts.services.notifications import notify_admins
from cs_platform.lib.periods import day_start, local_day
from cs_platform.lib.scoping import current_workspace_id
from dunning.queries.recoveries import first_tries
from dunning.recovery import failure_alarm
from dunning.recovery.alarm import BASE_WEEKS
from dunning.recovery.rates import monday

ALARM_JOB = "dunning.failure_alarm"
ALARM_KIND = "dunning.failure_rate"


def run_alarm(_night_id: int) -> None:
    """Handler of the job that the end of a night brings."""
    look_for_alarm(now=timezone.now())


def look_for_alarm(*, now: datetime) -> int:
    """Judge the last full week against the eight before it; returns how many people were told."""
    workspace = Workspace.objects.get(pk=current_workspace_id())
    running = monday(local_day(now, workspace.zone))
    start = day_start(running - timedelta(weeks=BASE_WEEKS + 1), workspace.zone)
    alarm = failure_alarm(first_tries(workspace, start=start, end=day_start(running, workspace.zone)))
    if alarm is None or alarm.week != running - timedelta(weeks=1):
        return 0
    context = {
        "week": alarm.week.isoformat(),
        "failed": alarm.failed,
        "tries": alarm.tries,
        "usual_failed": alarm.usual_failed,
        "usual_tries": alarm.usual_tries,
    }
    return notify_admins(kind=ALARM_KIND, cause_key=alarm.week.isoformat(), context=context, now=now)
