"""The churn model: its record, its versions, training, going live and rolling back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, allows, requires
from accounts.tasks import nudge
from health.charts import calibration_chart
from health.models import ModelVersion
from health.queries import model_page
from health.queries.in_force import live_version
from health.queries.sections import health_tabs
from health.services import predictions
from health.services.training_runs import request_training


@requires("health.view")
def model(request: WorkspaceRequest) -> HttpResponse:
    """The live version's record, else the newest one's with why it is not live."""
    shown = live_version() or ModelVersion.objects.order_by("-number").first()
    return _page(request, shown)


@requires("health.view")
def version(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    return _page(request, get_object_or_404(ModelVersion, public_id=public_id))


def _page(request: WorkspaceRequest, shown: ModelVersion | None) -> HttpResponse:
    record = shown.record if shown else {}
    live = live_version()
    context = {
        "tabs": health_tabs("model"),
        "shown": shown,
        "live": live,
        "is_live": shown is not None and live is not None and shown.pk == live.pk,
        "record": record,
        "reason": model_page.reason_words(record),
        "figures": model_page.figures(record),
        "baselines": model_page.baselines(record),
        "features": model_page.features(record),
        "left_out": model_page.left_out(record),
        "split": model_page.split_words(record),
        "drift": model_page.drift(shown),
        "calibration_data": {"chart": calibration_chart(record.get("calibration") or [])},
        "versions": model_page.versions(),
        "training": model_page.is_training(),
        "trainings_url": reverse("health:trainings"),
        "can_edit": allows(request.membership, "health.configure"),
    }
    return render(request, "health/model.html", context)


@requires("health.view")
def trainings(request: WorkspaceRequest) -> HttpResponse:
    """POST asks for a training; GET answers the progress block."""
    if request.method == "POST":
        if not allows(request.membership, "health.configure"):
            return render(request, "403.html", status=403)
        request_training(request.membership.workspace)
        messages.success(request, gettext("Training has begun. It goes on when you leave this page."))
        nudge()
        return redirect("health:model")
    if not model_page.is_training():
        response = HttpResponse(status=200)
        response["HX-Redirect"] = reverse("health:model")
        return response
    context = {"label": gettext("A model is being trained…"), "poll_url": reverse("health:trainings")}
    return render(request, "components/progress.html", context)


@require_POST
@requires("health.configure")
def go_live(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    chosen = get_object_or_404(ModelVersion, public_id=public_id, is_eligible=True)
    predictions.go_live(version=chosen, acting_user=request.user, now=timezone.now())
    messages.success(
        request,
        gettext("Version %(n)d is live. The next nightly run predicts with it.") % {"n": chosen.number},
    )
    return redirect("health:model")


@require_POST
@requires("health.configure")
def retire(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    chosen = get_object_or_404(
        ModelVersion, public_id=public_id, live_from__isnull=False, live_until__isnull=True
    )
    predictions.retire(version=chosen, acting_user=request.user, now=timezone.now())
    undo = f"undo:{reverse('health:model_go_live', args=[chosen.public_id])}"
    messages.success(request, gettext("No model is live. The health score stands in."), extra_tags=undo)
    return redirect("health:model")
