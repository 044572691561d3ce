"""The case board and its CSV."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext

from accounts.access import WorkspaceRequest, allows, requires
from accounts.models import BillingConnection
from accounts.queries.saved_views import saved_views
from cs_platform.lib.csv_text import csv_text
from dunning.cases.words import STATE_WORDS
from dunning.models import DunningPolicy
from dunning.queries.board import board_facets, board_page, board_sheet, recent_recovery
from dunning.queries.board_filter import DEFAULT_SORT, BoardFilter
from health.forms.queue import assignable

PAGE = "dunning"


@requires("dunning.view")
def board(request: WorkspaceRequest) -> HttpResponse:
    """Every case, filtered and sorted."""
    return render(request, "dunning/board.html", _context(request, request.GET, request.get_full_path()))


def board_again(request: WorkspaceRequest, here: str) -> HttpResponse:
    """The list after an act, for an htmx swap: rows, numbers and toasts."""
    # The list's own query, so that its links keep the filters.
    request.GET = QueryDict(urlsplit(here).query)
    response = render(request, "dunning/parts/board_again.html", _context(request, request.GET, here))
    response["HX-Trigger"] = "overlay-close"
    return response


def _context(request: WorkspaceRequest, query: QueryDict, here: str) -> dict[str, Any]:
    wanted, now = BoardFilter.from_query(query), timezone.now()
    workspace = request.membership.workspace
    return {
        "page": board_page(wanted, membership=request.membership),
        "facets": board_facets(wanted, membership=request.membership, workspace=workspace, now=now),
        "recent": recent_recovery(workspace, now=now),
        "wanted": wanted,
        "states": _states(wanted.state),
        "members": assignable(),
        "may_work": allows(request.membership, "dunning.work"),
        "may_configure": allows(request.membership, "dunning.configure"),
        "is_collecting": DunningPolicy.objects.filter(collecting_since__isnull=False).exists(),
        "is_connected": BillingConnection.objects.filter(disconnected_at__isnull=True).exists(),
        "currency": workspace.report_currency,
        "saved_views": saved_views(PAGE, request.user, query),
        "default_sort": DEFAULT_SORT,
        "here": here,
        "query": query,
        "now": now,
    }


@requires("dunning.view")
def export_board(request: WorkspaceRequest) -> HttpResponse:
    """The board as it is filtered, as CSV."""
    headers, rows = board_sheet(BoardFilter.from_query(request.GET), membership=request.membership)
    response = HttpResponse(csv_text(headers, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="failed-payments.csv"'
    return response


def _states(active: str) -> list[dict[str, object]]:
    words = {**STATE_WORDS, "all": gettext("All cases")}
    return [{"value": name, "label": label, "active": name == active} for name, label in words.items()]
