"""The accounts list."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.access import WorkspaceRequest, allows, requires
from accounts.queries.saved_views import saved_views
from cs_platform.lib.csv_text import csv_text
from health.forms.queue import assignable
from health.queries.accounts import accounts_facets, accounts_page, accounts_sheet
from health.queries.accounts_filter import DEFAULT_SORT, AccountsFilter

PAGE = "accounts"


@requires("accounts.view")
def accounts(request: WorkspaceRequest) -> HttpResponse:
    """Every account, filtered and sorted."""
    wanted = AccountsFilter.from_query(request.GET)
    context = {
        "page": accounts_page(wanted, membership=request.membership),
        "facets": accounts_facets(wanted, membership=request.membership),
        "wanted": wanted,
        "members": assignable(),
        "may_work": allows(request.membership, "queue.work"),
        "currency": request.membership.workspace.report_currency,
        "saved_views": saved_views(PAGE, request.user, request.GET),
        "default_sort": DEFAULT_SORT,
        "here": request.get_full_path(),
        "query": request.GET,
        "now": timezone.now(),
    }
    return render(request, "health/accounts.html", context)


@requires("accounts.view")
def export_accounts(request: WorkspaceRequest) -> HttpResponse:
    """The list as it is filtered, as CSV."""
    headers, rows = accounts_sheet(AccountsFilter.from_query(request.GET), membership=request.membership)
    response = HttpResponse(csv_text(headers, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="accounts.csv"'
    return response
