"""The REST API, composed of each app's routers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from accounts.api import contacts, invoices, notes, segments, subscriptions, tickets
from accounts.api.description import ABOUT, complete
from accounts.api.problems import install, no_such_method, no_such_page
from accounts.api.security import BearerKey, pace_headers
from dunning.api import cases, payment_notices
from health.api import accounts, measures, queue


class Api(NinjaAPI):
    """Every answer tells the caller where its limit stands; the description names every status."""

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        return _paced(request, super().create_temporal_response(request))

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        return _paced(request, super().on_exception(request, exc))

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        return complete(super().get_openapi_schema(**options))


def _paced(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    for name, value in pace_headers(request).items():
        response[name] = value
    return response


api = Api(
    title="Customer success platform",
    version="1.0",
    description=ABOUT,
    urls_namespace="api-1.0",
    auth=BearerKey(),
    openapi_url="/openapi.json",
    docs_url=None,
)
install(api)
for module in (
    accounts,
    contacts,
    subscriptions,
    tickets,
    invoices,
    notes,
    measures,
    queue,
    segments,
    cases,
    payment_notices,
):
    api.add_router("", module.router)


def _worded(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Another method than an address has is refused in the words of all other errors."""

    @csrf_exempt
    @functools.wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        return no_such_method(response["Allow"]) if response.status_code == 405 else response

    return answered


def addresses() -> tuple[list[URLPattern | URLResolver], str, str]:
    """The operations, and for whatever else lies below the API a problem instead of a page."""
    patterns, app_name, namespace = api.urls
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            is_root = pattern.name == "api-root"
            pattern.callback = csrf_exempt(no_such_page) if is_root else _worded(pattern.callback)
    return [*patterns, re_path("", csrf_exempt(no_such_page), name="unknown")], app_name, namespace
