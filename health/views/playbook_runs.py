"""Runs: begin one by hand with its effects in sight, look at one, hold it, end it."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import WorkspaceRequest, allows, requires
from accounts.models import Account
from accounts.tasks import nudge
from accounts.views.returning import return_address
from health.models import OPEN_STATES, Sequence, SequenceRun
from health.queries.playbook_start import start_choices, start_preview
from health.queries.playbooks import run_history, stands
from health.services.sequence_runs import exit_run, pause_run, resume_run
from health.services.sequences import enrol


@requires("health.view")
def run(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """One run with every step it took."""
    rows = SequenceRun.objects.select_related(
        "sequence", "version", "account", "contact", "started_by", "ended_by"
    )
    found = get_object_or_404(rows, public_id=public_id)
    context = {
        "run": found,
        "stands": stands(found),
        "lines": run_history(found),
        "is_open": found.state in OPEN_STATES,
        "may_work": allows(request.membership, "queue.work"),
    }
    return render(request, "health/playbook_run.html", context)


@require_GET
@requires("queue.work")
def new_run(request: WorkspaceRequest) -> HttpResponse:
    """Choose a playbook for one account; a chosen one shows what would happen, with names."""
    account = _account(request.GET.get("account", ""))
    return _ask(request, account, request.GET.get("playbook", ""))


def _ask(
    request: WorkspaceRequest, account: Account, chosen: str, error: str = "", status: int = 200
) -> HttpResponse:
    here = return_address(request, reverse("health:account", args=[account.public_id]))
    sequence = _sequence(chosen) if chosen else None
    context: dict[str, Any] = {"account": account, "here": here, "sequence": sequence, "error": error}
    if sequence is None:
        context["choices"] = start_choices(account, now=timezone.now())
    else:
        context["preview"] = start_preview(sequence, account, now=timezone.now())
        context["token"] = secrets.token_hex(8)
    part = "health/parts/playbook_start.html" if request.htmx else "health/playbook_start.html"
    response = render(request, part, context, status=status)
    if request.htmx:
        response["HX-Retarget"], response["HX-Reswap"] = "#dialog-content", "innerHTML"
    return response


@require_POST
@requires("queue.work")
def begin(request: WorkspaceRequest) -> HttpResponse:
    account, sequence = _account(request.POST.get("account", "")), _sequence(request.POST.get("playbook", ""))
    preview = start_preview(sequence, account, now=timezone.now())
    if preview.refusal:
        return _ask(request, account, str(sequence.public_id), error=str(preview.refusal), status=422)
    source = preview.source or f"hand:{request.POST.get('token', '')[:40] or secrets.token_hex(8)}"
    run = enrol(
        sequence=sequence, account=account, source=source, acting_user=request.user, now=timezone.now()
    )
    here = return_address(request, reverse("health:account", args=[account.public_id]))
    if run is None:
        messages.warning(request, gettext("It was not begun: it runs already, or today's limit is reached."))
        return redirect(here)
    nudge()
    words = gettext("%(playbook)s has begun for %(account)s.")
    messages.success(
        request,
        words % {"playbook": sequence.name, "account": account.name},
        extra_tags=f"undo:{reverse('health:playbook_run_exit', args=[run.public_id])}",
    )
    return redirect(here)


def _account(public_id: str) -> Account:
    try:
        return get_object_or_404(Account.objects.select_related("csm__user"), public_id=public_id)
    except ValidationError:
        raise Http404 from None


def _sequence(public_id: str) -> Sequence:
    try:
        return get_object_or_404(Sequence, public_id=public_id, archived_at__isnull=True)
    except ValidationError:
        raise Http404 from None


@require_POST
@requires("queue.work")
def run_exit(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    found = get_object_or_404(SequenceRun, public_id=public_id)
    if exit_run(run=found, reason="by_hand", acting_user=request.user, now=timezone.now()):
        messages.success(request, gettext("Ended. Mails that have not left yet stay here."))
    else:
        messages.warning(request, gettext("It was over already. Nothing was changed."))
    return redirect(return_address(request, reverse("health:playbook_run", args=[found.public_id])))


@require_POST
@requires("queue.work")
def run_pause(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    found = get_object_or_404(SequenceRun, public_id=public_id)
    if pause_run(run=found, acting_user=request.user):
        messages.success(request, gettext("It stands still until you let it go on."))
    return redirect("health:playbook_run", found.public_id)


@require_POST
@requires("queue.work")
def run_resume(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    found = get_object_or_404(SequenceRun, public_id=public_id)
    if resume_run(run=found, acting_user=request.user):
        nudge()
        messages.success(request, gettext("It goes on."))
    return redirect("health:playbook_run", found.public_id)
