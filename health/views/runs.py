"""Nightly runs: what each stage did, how long it took, what went wrong."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.access import WorkspaceRequest, allows, requires
from accounts.tasks import nudge
from cs_platform.lib.periods import local_day
from health.models import NightRun, RunStatus, StageRun
from health.queries.sections import health_tabs
from health.services.nights import STAGES, is_given_up, start_night


@requires("health.view")
def runs(request: WorkspaceRequest) -> HttpResponse:
    """The latest nights; a POST runs today's once more."""
    if request.method == "POST":
        if not allows(request.membership, "health.configure"):
            return render(request, "403.html", status=403)
        today = local_day(timezone.now(), request.membership.workspace.zone)
        night = start_night(as_of=today, acting_user=request.user, again=True)
        nudge()
        messages.success(request, gettext("The run has begun. It goes on when you leave this page."))
        return redirect("health:run", night.public_id)
    nights = NightRun.objects.select_related("requested_by").order_by("-as_of")[:60]
    context = {
        "tabs": health_tabs("runs"),
        "nights": nights,
        "can_edit": allows(request.membership, "health.configure"),
    }
    return render(request, "health/runs.html", context)


@requires("health.view")
def run(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    night = get_object_or_404(NightRun.objects.select_related("requested_by"), public_id=public_id)
    return render(request, "health/run.html", {"tabs": health_tabs("runs"), **_state(night)})


@requires("health.view")
def progress(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """The stages alone, for a page that watches."""
    night = get_object_or_404(NightRun, public_id=public_id)
    return render(request, "health/parts/run_stages.html", _state(night))


def _state(night: NightRun) -> dict[str, object]:
    stages = list(StageRun.objects.filter(night=night).order_by("position", "shard"))
    done = {row.position for row in stages} - {row.position for row in stages if row.status != RunStatus.DONE}
    given_up = is_given_up(night)
    running = night.status in (RunStatus.WAITING, RunStatus.STARTED) and not given_up
    return {
        "night": night,
        "given_up": given_up,
        "stages": stages,
        "done": len(done),
        "total": len(STAGES),
        "seconds": sum(row.seconds or 0 for row in stages),
        "poll_url": reverse("health:run_progress", args=[night.public_id]) if running else "",
    }
