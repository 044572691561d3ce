"""Start collecting, having seen what would follow; stop it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.models import BillingConnection
from dunning.queries.board import worth
from dunning.queries.collecting import waiting_invoices
from dunning.services.collecting import start_collecting, stop_collecting
from dunning.services.policies import definition_of, the_policy, version_in_force

SHOWN = 50


@requires("dunning.configure")
def collecting(request: WorkspaceRequest) -> HttpResponse:
    """What waits, and the decision."""
    now, workspace = timezone.now(), request.membership.workspace
    version = version_in_force()
    policy = definition_of(version)
    waiting = waiting_invoices(since=now - policy.duration, now=now)
    amount, unpriced = worth([(row.amount_minor, row.currency) for row in waiting], workspace, now)
    context = {
        "policy": the_policy(),
        "version": version,
        "waiting": waiting[:SHOWN],
        "count": len(waiting),
        "more": max(0, len(waiting) - SHOWN),
        "charged": sum(bool(row.provider) for row in waiting),
        "amount_minor": amount,
        "unpriced": unpriced,
        "days": policy.duration.days,
        "currency": workspace.report_currency,
        "connection": BillingConnection.objects.filter(disconnected_at__isnull=True).first(),
        "workspace": workspace,
        "now": now,
    }
    return render(request, "dunning/collecting.html", context)


@require_POST
@requires("dunning.configure")
def collecting_start(request: WorkspaceRequest) -> HttpResponse:
    """Collect from now on, with or without what waits."""
    with_waiting = request.POST.get("which") == "waiting"
    found = start_collecting(with_waiting=with_waiting, acting_user=request.user, now=timezone.now())
    text = gettext("Failed payments are collected from now on.")
    if found:
        text += " " + ngettext(
            "%(n)d open one is taken up now.", "%(n)d open ones are taken up now.", found
        ) % {"n": found}
    messages.success(request, text)
    return redirect("dunning:board")


@require_POST
@requires("dunning.configure")
def collecting_stop(request: WorkspaceRequest) -> HttpResponse:
    """No new case from now on."""
    stop_collecting(acting_user=request.user)
    messages.success(request, gettext("No new case opens. Open cases go on until you stop them."))
    return redirect("dunning:collecting")
