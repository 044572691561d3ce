"""One case: what is owed, what happened, what comes next."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from accounts.access import WorkspaceRequest, allows, requires
from accounts.views.returning import return_address
from dunning.queries.case_page import case_page, find_case


@requires("dunning.view")
def case(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """The page of a case; in the drawer only its summary is sent."""
    found = get_object_or_404(find_case(public_id))
    is_drawer = bool(request.htmx) and request.htmx.target == "drawer-content"
    context = {
        "page": case_page(found),
        "case": found,
        "account": found.account,
        "may_work": allows(request.membership, "dunning.work"),
        "workspace": request.membership.workspace,
        # In the drawer an act leads back to the page below it.
        "here": return_address(request, request.path) if is_drawer else request.get_full_path(),
        "now": timezone.now(),
    }
    if is_drawer:
        return render(request, "dunning/parts/case_drawer.html", context)
    return render(request, "dunning/case.html", context)
