"""The Queue: whom to help next, why, and what to do."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from accounts.access import WorkspaceRequest, allows, requires
from accounts.models import Account, Membership
from accounts.queries.saved_views import saved_views
from cs_platform.lib.csv_text import csv_text
from cs_platform.lib.periods import local_day
from health.forms.queue import assignable
from health.queries.account_risk import account_risk
from health.queries.queue import has_live_model, queue_facets, queue_page
from health.queries.queue_export import queue_sheet
from health.queries.queue_filter import DEFAULT_SORT, QueueFilter

PAGE = "queue"


@requires("queue.view")
def queue(request: WorkspaceRequest) -> HttpResponse:
    """The list with its filters."""
    context = list_context(request, request.GET, here=request.get_full_path())
    context["saved_views"] = saved_views(PAGE, request.user, request.GET)
    return render(request, "health/queue.html", context)


@requires("queue.view")
def queue_account(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """One account of the queue: in the drawer, or as a page of its own."""
    rows = Account.objects.select_related("csm__user", "state", "queue_entry")
    account = get_object_or_404(rows, public_id=public_id)
    here = request.GET.get("next") or reverse("health:queue")
    context = {
        "risk": account_risk(account, today=today_of(request.membership)),
        "account": account,
        "may_work": allows(request.membership, "queue.work"),
        "here": here,
        "now": timezone.now(),
    }
    part = "health/parts/queue_drawer.html" if request.htmx else "health/queue_account.html"
    return render(request, part, context)


@requires("queue.view")
def export_queue(request: WorkspaceRequest) -> HttpResponse:
    """The list as it is filtered, as CSV."""
    wanted = QueueFilter.from_query(request.GET, request.membership)
    headers, rows = queue_sheet(wanted, membership=request.membership, today=today_of(request.membership))
    response = HttpResponse(csv_text(headers, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="queue.csv"'
    return response


def list_context(request: WorkspaceRequest, query: QueryDict, *, here: str) -> dict[str, Any]:
    """What the list template reads. `here` is the address the list is shown at."""
    membership = request.membership
    wanted, today = QueueFilter.from_query(query, membership), today_of(membership)
    return {
        "page": queue_page(wanted, membership=membership, today=today),
        "facets": queue_facets(wanted, membership=membership, today=today),
        "wanted": wanted,
        "members": assignable(),
        "may_work": allows(membership, "queue.work"),
        "has_model": has_live_model(),
        "currency": membership.workspace.report_currency,
        "default_sort": DEFAULT_SORT,
        "here": here,
        "query": query,
        "now": timezone.now(),
    }


def list_again(request: WorkspaceRequest, here: str) -> HttpResponse:
    """The list after an act, for an htmx swap: rows, numbers and toasts."""
    # The list's own query, so that its links keep the filters.
    request.GET = QueryDict(urlsplit(here).query)
    context = list_context(request, request.GET, here=here)
    response = render(request, "health/parts/queue_again.html", context)
    response["HX-Trigger"] = "overlay-close"
    return response


def today_of(membership: Membership) -> date:
    """The workspace's local day."""
    return local_day(timezone.now(), membership.workspace.zone)
