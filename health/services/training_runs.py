"""Training in the background: asked for by an admin, or weekly by the schedule."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Job, Workspace
from accounts.services.heartbeat import heartbeat
from accounts.services.jobs import Lease
from accounts.services.notifications import notify_admins
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import workspace_scope
from health.models import ModelVersion, NightRun, RunStatus
from health.models.working import TRAIN_JOB
from health.news import TRAINED
from health.services.predictions import train

EVERY = timedelta(days=7)


def train_by_job(lease: Lease) -> None:
    """Train for the workspace that the job names, by its local date and its horizon."""
    workspace = Workspace.objects.get(pk=lease.workspace_id)
    with heartbeat(lease), workspace_scope(workspace.pk):
        last = NightRun.objects.filter(status=RunStatus.DONE).order_by("-as_of").first()
        as_of = last.as_of if last else local_day(timezone.now(), workspace.zone)
        version = train(as_of=as_of, horizon_days=workspace.horizon_days, acting_user=None)
        lease.hold()
        _tell(version)


def _tell(version: ModelVersion) -> None:
    notify_admins(
        kind=TRAINED,
        cause_key=str(version.pk),
        context={
            "version": str(version.public_id),
            "number": version.number,
            "live": version.live_from is not None,
        },
        now=timezone.now(),
    )


def request_training(workspace: Workspace) -> None:
    """Put the work; call in the workspace's scope."""
    Job.objects.put(TRAIN_JOB, workspace.pk, priority=5)


def request_due_trainings(now: datetime) -> int:
    """For every workspace whose last training is a week old and that has had a night since."""
    asked = 0
    for workspace in Workspace.objects.order_by("pk"):
        with workspace_scope(workspace.pk):
            recent = ModelVersion.objects.filter(trained_at__gt=now - EVERY).exists()
            if not recent and NightRun.objects.filter(status=RunStatus.DONE).exists():
                request_training(workspace)
                asked += 1
    return asked
