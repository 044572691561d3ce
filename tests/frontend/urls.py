"""The design page without a login, for the browser tests."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, include, path

from accounts.views.design import sample_context


def _navigation() -> list[dict[str, Any]]:
    names = [
        ("Queue", "inbox"),
        ("Accounts", "building-2"),
        ("Health", "heart-pulse"),
        ("Dunning", "credit-card"),
        ("Reports", "chart-column"),
    ]
    return [
        {"label": name, "icon": icon, "url": "#", "active": name == "Queue", "count": 3}
        for name, icon in names
    ]


def design(request: HttpRequest) -> HttpResponse:
    context = {"nav_items": _navigation(), "workspace": {"name": "Acme Cloud"}, **sample_context()}
    return render(request, "design.html", context)


def drawer(request: HttpRequest) -> HttpResponse:
    return render(request, "components/drawer_head.html", {"title": "Northwind Robotics"})


def search(request: HttpRequest) -> HttpResponse:
    found = [{"label": "Northwind Robotics", "detail": "Account", "url": "/design/?found"}]
    query = request.GET.get("q", "")
    return render(
        request, "components/search_results.html", {"results": found if query else [], "query": query}
    )


urlpatterns: list[URLPattern | URLResolver] = [
    path("design/", design),
    path("drawer/", drawer),
    path("search/", search),
    path("i18n/", include("django.conf.urls.i18n")),
]
