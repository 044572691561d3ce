"""The page that shows the REST API to people, made of its own description."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from accounts.access import WorkspaceRequest, requires
from accounts.api.reference import OperationWords, coded, groups
from accounts.registry import SettingsPage, settings_pages


@requires("settings.view")
def api_reference(request: WorkspaceRequest) -> HttpResponse:
    """Every operation with its parameters, fields, answers and a line for the terminal."""
    from cs_platform.api import api

    context: dict[str, Any] = {
        "groups": _groups(),
        "about": [coded(line[2:]) for line in (api.description or "").splitlines() if line.startswith("- ")],
        "base_url": settings.BASE_URL,
        "limit": settings.API_REQUESTS_PER_MINUTE,
    }
    return render(request, "settings/api.html", context)


@cache
def _groups() -> list[tuple[str, list[OperationWords]]]:
    from cs_platform.api import api

    return groups(api.get_openapi_schema(), settings.BASE_URL)


def register() -> None:
    settings_pages.register(
        SettingsPage(
            "api",
            _("REST API"),
            _("What your programs can read and write, with lines to copy."),
            "api_reference",
            "settings.view",
            42,
        )
    )
