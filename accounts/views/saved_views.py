"""Saved views of list pages: keep the present filters under a name, remove them again."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.models import SavedView
from accounts.queries.saved_views import settled
from accounts.views.returning import return_address

PAGES = ("queue", "accounts", "reports")
LONGEST_NAME = 80
LONGEST_QUERY = 1000


@require_POST
@requires("accounts.view")
def saved_views(request: WorkspaceRequest) -> HttpResponse:
    """Keep the filters of the page the form stands on; the same name again replaces them."""
    page, name = request.POST.get("page", ""), request.POST.get("name", "").strip()[:LONGEST_NAME]
    if page not in PAGES:
        raise Http404
    address = urlsplit(return_address(request, "/"))
    query = settled(QueryDict(address.query))
    if not name or len(query) > LONGEST_QUERY:
        messages.error(request, gettext("Nothing was saved. Give the view a name and use fewer filters."))
        return redirect(address.geturl())
    shared = "is_shared" in request.POST
    SavedView.objects.update_or_create(
        user=request.user, page=page, name=name, defaults={"query": query, "is_shared": shared}
    )
    messages.success(request, gettext("Saved the view “%(name)s”.") % {"name": name})
    return redirect(f"{address.path}?{query}" if query else address.path)


@require_POST
@requires("accounts.view")
def saved_view_deletions(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Remove one of one's own views."""
    view = get_object_or_404(SavedView, public_id=public_id, user=request.user)
    view.delete()
    messages.success(request, gettext("Deleted the view “%(name)s”.") % {"name": view.name})
    return redirect(return_address(request, "/"))
