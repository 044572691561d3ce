"""One case: what is owed, what happened, what comes next."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from accounts.access import WorkspaceRequest, allows, requires
from accounts.views.returning import return_address
from dunning.queries.case_page import case_page, find_case
from dunning.services.pay_links import pay_url

PAY_LINK = "dunning/parts/pay_link.html"


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
        "may_connect": allows(request.membership, "billing.connect"),
        "workspace": request.membership.workspace,
        # In the drawer an act leads back to the page below it.
        "here": return_address(request, request.path) if is_drawer else request.get_full_path(),
        "now": timezone.now(),
    }
    if is_drawer:
        return render(request, "dunning/parts/case_drawer.html", context)
    return render(request, "dunning/case.html", context)


@require_GET
@requires("dunning.work")
def pay_link(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """The address of the payment page for whoever pays for the account, to hand on."""
    found = get_object_or_404(find_case(public_id))
    context = {
        "case": found,
        "title": gettext("Link to the payment page"),
        "address": pay_url(account=found.account, contact=found.contact, now=timezone.now()),
        "here": return_address(request, reverse("dunning:case", args=[found.public_id])),
        "part": PAY_LINK,
    }
    return render(request, PAY_LINK if request.htmx else "dunning/act.html", context)
