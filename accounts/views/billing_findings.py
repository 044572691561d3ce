"""Settings: what of Stripe's messages was set aside, and where the two ledgers differ."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.models import BillingMessage
from accounts.queries import billing as queries
from accounts.services.billing_parked import dismiss, try_again, try_all_again
from accounts.tasks import nudge


@requires("billing.connect")
def billing_parked(request: WorkspaceRequest) -> HttpResponse:
    """Messages that failed five times. A POST tries all of the page again."""
    if request.method == "POST":
        count = try_all_again(acting_user=request.user, now=timezone.now(), limit=queries.PAGE)
        nudge()
        words = ngettext(
            "%(n)d message is being tried again.", "%(n)d messages are being tried again.", count
        )
        messages.success(request, words % {"n": count})
        return redirect("accounts:billing_parked")
    rows = list(queries.parked_messages()[: queries.PAGE + 1])
    context = {
        "rows": [(row, queries.why(row)) for row in rows[: queries.PAGE]],
        "has_more": len(rows) > queries.PAGE,
    }
    return render(request, "settings/billing_parked.html", context)


@require_POST
@requires("billing.connect")
def billing_trial(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Try one of them again, or leave it."""
    message = get_object_or_404(BillingMessage, public_id=public_id)
    if request.POST.get("act") == "dismiss":
        if dismiss(message=message, acting_user=request.user, now=timezone.now()):
            words = gettext("Dismissed. What it was about is compared with Stripe tonight all the same.")
            messages.success(request, words)
        else:
            messages.info(request, gettext("Somebody has seen to it already."))
    elif try_again(message=message, acting_user=request.user, now=timezone.now()):
        nudge()
        messages.success(request, gettext("It is being tried again."))
    else:
        messages.info(request, gettext("Somebody has seen to it already."))
    return redirect("accounts:billing_parked")


@require_GET
@requires("billing.connect")
def billing_differences(request: WorkspaceRequest) -> HttpResponse:
    """Where the last comparisons found that the ledgers do not say the same."""
    is_open = request.GET.get("show") != "mended"
    rows = list(queries.differences(is_open=is_open)[: queries.PAGE + 1])
    tabs = [
        {"label": pgettext("differences", "Open"), "url": "?", "active": is_open},
        {"label": gettext("Mended"), "url": "?show=mended", "active": not is_open},
    ]
    has_more = len(rows) > queries.PAGE
    context = {
        "rows": [(row, queries.advice(row) if is_open else "") for row in rows[: queries.PAGE]],
        "has_more": has_more,
        "is_open": is_open,
        "tabs": tabs,
    }
    return render(request, "settings/billing_differences.html", context)
