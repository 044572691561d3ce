"""Experiments: what each shows, the plan before one starts, and the stop button."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext

from accounts.access import WorkspaceRequest, allows, requires
from cs_platform.lib.csv_text import csv_text
from health.charts_experiments import lift_chart, narrowing_chart
from health.forms.experiments import DEFAULTS, WHO_BANDS, PlanForm
from health.models import Experiment
from health.queries import experiment_pages as pages
from health.queries.experiment_plans import Plan, plan
from health.queries.experiment_results import results
from health.queries.experiment_sheets import Sheet, assignments_sheet, experiments_sheet
from health.queries.experiment_words import (
    GOAL_SHARES,
    VERDICT_TONES,
    VERDICT_WORDS,
    arr_words,
    interval_words,
    plan_reading,
    points,
    pooled_reading,
    reading,
    share_words,
    stratum_words,
)
from health.queries.sections import health_tabs
from health.services.experiments import stop_experiment


@requires("health.view")
def experiments(request: WorkspaceRequest) -> HttpResponse:
    """All experiments, newest first, and what they show together."""
    state = request.GET.get("state", "")
    page = pages.listing(state, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    together = pages.pooled_results()
    context = {
        "tabs": health_tabs("experiments"),
        "page": page,
        "rows": [_row(row) for row in page.rows],
        "state": state,
        "not_narrowed": state not in ("running", "stopped"),
        "together": [{"goal": GOAL_SHARES[part.goal], "reading": pooled_reading(part)} for part in together],
        "lift_data": {"chart": lift_chart(page.rows, together)},
        "running": pages.shown("running").count(),
    }
    return render(request, "health/experiments.html", context)


def _row(row: pages.Row) -> dict[str, object]:
    lift = row.result.lift
    return {
        "experiment": row.experiment,
        "subject": row.subject,
        "result": row.result,
        "treated": share_words(row.result.treated),
        "control": share_words(row.result.control),
        "difference": points(lift.value) if lift else "",
        "interval": interval_words(lift.interval) if lift else "",
        "verdict": VERDICT_WORDS[row.result.verdict],
        "tone": VERDICT_TONES.get(row.result.verdict, "quiet"),
    }


@requires("health.view")
def experiment(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """One experiment: the answer, what it stands on, who is held out now."""
    found, now = (
        get_object_or_404(Experiment.objects.select_related("stopped_by"), public_id=public_id),
        timezone.now(),
    )
    subject, result = pages.subject_words(found), results([found])[found.pk]
    context = {
        "tabs": health_tabs("experiments"),
        "row": _row(pages.Row(found, subject, result)),
        "experiment": found,
        "result": result,
        "reading": reading(found, result),
        "plan_reading": plan_reading(found),
        "arr_reading": arr_words(result, request.membership.workspace.report_currency),
        "goal": GOAL_SHARES[found.outcome],
        "strata": [(stratum_words(cell.stratum), cell) for cell in result.cells],
        "progress": pages.progress(found, now=now),
        "exclusions": pages.exclusions(found),
        "held_out": pages.held_out_now(found, now=now),
        "chart_data": {"chart": narrowing_chart(pages.checkpoints(found))},
        "can_edit": allows(request.membership, "health.configure"),
        "now": now,
    }
    return render(request, "health/experiment.html", context)


@requires("health.configure")
def stop(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """GET says what stopping does, POST does it."""
    found, now = get_object_or_404(Experiment, public_id=public_id), timezone.now()
    if request.method == "POST":
        if stop_experiment(experiment=found, acting_user=request.user, now=now):
            messages.success(request, gettext("The experiment is stopped. Nobody is held out any more."))
        return redirect("health:experiment", found.public_id)
    context = {
        "tabs": health_tabs("experiments"),
        "experiment": found,
        "result": results([found])[found.pk],
        "progress": pages.progress(found, now=now),
    }
    part = "health/parts/experiment_stop.html" if request.htmx else "health/experiment_stop.html"
    return render(request, part, context)


@requires("health.view")
def experiment_plan(request: WorkspaceRequest) -> HttpResponse:
    """What a test could show, before anybody is held out."""
    form = PlanForm(request.GET or None, initial=DEFAULTS)
    values = form.cleaned_data if form.is_bound and form.is_valid() else None if form.is_bound else DEFAULTS
    context = {"tabs": health_tabs("experiments"), "form": form, "plan": _plan(**values) if values else None}
    return render(request, "health/experiment_plan.html", context)


def _plan(*, who: str, **values: Any) -> Plan:
    return plan(**values, bands=WHO_BANDS[who], now=timezone.now())


@requires("health.view")
def export_experiments(request: WorkspaceRequest) -> HttpResponse:
    return _csv(experiments_sheet(request.GET.get("state", "")), "experiments")


@requires("health.view")
def export_experiment(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    found = get_object_or_404(Experiment, public_id=public_id)
    return _csv(assignments_sheet(found), slugify(found.name) or "experiment")


def _csv(sheet: Sheet, name: str) -> HttpResponse:
    response = HttpResponse(csv_text(*sheet), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
