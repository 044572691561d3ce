"""Trying again what the payment provider would not do: a form that says what would happen, then the act."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.models import BillingOrder
from accounts.views.returning import return_address
from dunning.cases.order_words import act_words, again_words, not_again_words, not_done_words
from dunning.models import DunningCase
from dunning.queries.case_page import find_case
from dunning.queries.refused_orders import why_not_again
from dunning.services.trying_again import NotAgain, try_again

PART = "dunning/parts/case_again.html"


@require_GET
@requires("dunning.work")
def new_again(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """What trying it again would do, or why it is not tried."""
    case = get_object_or_404(find_case(public_id))
    order = _order(case, request.GET.get("order", ""))
    code = why_not_again(case, order) if order else "settled"
    kind = order.kind if order else ""
    context = {
        "case": case,
        "order": order,
        "title": gettext("Try again: %(act)s") % {"act": act_words(kind)} if order else gettext("Try again"),
        "refused": not_done_words(kind, order.error_code or order.state) if order else "",
        "explains": again_words(kind),
        "why_not": not_again_words(code) if code else "",
        "here": _back(request, case),
        "part": PART,
    }
    return render(request, PART if request.htmx else "dunning/act.html", context)


@require_POST
@requires("dunning.work")
def again(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Order it anew."""
    case = get_object_or_404(find_case(public_id))
    order = _order(case, request.POST.get("order", ""))
    try:
        if order is None:
            raise NotAgain("settled")
        try_again(case=case, order_id=order.public_id, acting_user=request.user, now=timezone.now())
    except NotAgain as refused:
        messages.warning(request, refused.words)
    else:
        messages.success(request, gettext("Ordered again. What comes of it appears on the case."))
    return redirect(_back(request, case))


def _order(case: DunningCase, public_id: str) -> BillingOrder | None:
    """An order of this account; a name that is none, or another's, finds nothing."""
    try:
        named = UUID(public_id)
    except ValueError:
        return None
    orders = BillingOrder.objects.filter(account_id=case.account_id, public_id=named)
    found: BillingOrder | None = orders.select_related("subscription", "invoice", "customer").first()
    return found


def _back(request: WorkspaceRequest, case: DunningCase) -> str:
    return return_address(request, reverse("dunning:case", args=[case.public_id]))
