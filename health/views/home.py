"""Home: a CSM's day, or the state of the whole."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.access import WorkspaceRequest, allows, requires
from accounts.models import Role
from accounts.queries.welcome import open_checklist
from accounts.registry import home_panels
from health.charts import distribution_chart, movement_chart
from health.queries import home as queries
from health.views.account import LoadedPanel
from health.views.queue import today_of


@requires("home.view")
def home(request: WorkspaceRequest) -> HttpResponse:
    """A CSM sees their own accounts first; everybody else sees all."""
    is_csm = request.membership.role == Role.CSM
    context = _day(request) if is_csm else _whole(request)
    loads = queries.queue_by_csm(today_of(request.membership))
    context |= {
        "is_csm": is_csm,
        "loads": loads,
        "queue_total": queries.whole_queue(loads),
        "currency": request.membership.workspace.report_currency,
        "panels": _panels(request),
        "may_work": allows(request.membership, "queue.work"),
        "here": reverse("health:home"),
        "now": timezone.now(),
        "checklist": open_checklist(
            request.membership.workspace, now=timezone.now(), may=partial(allows, request.membership)
        ),
    }
    return render(request, "health/home.html", context)


def _day(request: WorkspaceRequest) -> dict[str, Any]:
    membership, today = request.membership, today_of(request.membership)
    return {
        "rows": queries.top_of_queue(membership, csm="mine", today=today),
        "totals": queries.totals(membership),
        "renewals": queries.renewals_ahead(membership, now=today),
    }


def _whole(request: WorkspaceRequest) -> dict[str, Any]:
    today, night = today_of(request.membership), queries.last_night()
    totals, histogram = queries.standing()
    return {
        "rows": queries.top_of_queue(request.membership, csm="all", today=today),
        "totals": totals,
        "night": night,
        "model": queries.newest_model(),
        "distribution": distribution_chart(histogram),
        "movement": movement_chart(queries.band_movement(queries.last_done_as_of(night))),
    }


def _panels(request: WorkspaceRequest) -> list[LoadedPanel]:
    now, workspace = timezone.now(), request.membership.workspace
    wanted = [panel for panel in home_panels if allows(request.membership, panel.permission)]
    return [
        LoadedPanel(panel, panel.load(workspace, now))
        for panel in sorted(wanted, key=lambda panel: panel.order)
    ]
