"""Ctrl-K: accounts, people, pages."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from accounts.access import WorkspaceRequest, requires
from accounts.registry import search_sources

LONGEST = 100


@requires("home.view")
def search(request: WorkspaceRequest) -> HttpResponse:
    """What the registered sources find; the part for the palette, a page without JavaScript."""
    words = request.GET.get("q", "").strip()[:LONGEST]
    results = [row for source in search_sources for row in source.find(request, words)] if words else []
    part = "components/search_results.html" if request.htmx else "health/search.html"
    return render(request, part, {"results": results, "query": words})
