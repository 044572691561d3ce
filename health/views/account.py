"""The account page: one head, and the parts that the apps registered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from accounts.access import WorkspaceRequest, allows, requires
from accounts.models import Account, Membership
from accounts.queries.let_go import with_let_go
from accounts.queries.notes import with_notes
from accounts.registry import Panel, account_panels
from health.queries.expected_loss import expected_loss


@dataclass(frozen=True, slots=True)
class LoadedPanel:
    """A registered part with what its template reads as `data`."""

    panel: Panel
    data: dict[str, Any]


@requires("accounts.view")
def account(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Everything known about one account."""
    rows = Account.objects.select_related("csm__user", "state", "queue_entry", "workspace")
    rows = with_let_go(rows).prefetch_related(with_notes())
    found = get_object_or_404(rows, public_id=public_id)
    now, state = timezone.now(), getattr(found, "state", None)
    panels = load_panels(found, request.membership, now)
    context = {
        "account": found,
        "state": state,
        "loss": expected_loss(state) if state else None,
        "let_go": getattr(found, "standing_let_go", None),
        "main_panels": [loaded for loaded in panels if loaded.panel.place == "main"],
        "side_panels": [loaded for loaded in panels if loaded.panel.place == "side"],
        "may_work": allows(request.membership, "accounts.work"),
        "here": request.get_full_path(),
        "now": now,
    }
    return render(request, "health/account.html", context)


def load_panels(found: Account, membership: Membership, now: datetime) -> list[LoadedPanel]:
    """The registered parts that this member may see, in their order."""
    wanted = [panel for panel in account_panels if allows(membership, panel.permission)]
    return [
        LoadedPanel(panel, panel.load(found, now)) for panel in sorted(wanted, key=lambda panel: panel.order)
    ]
