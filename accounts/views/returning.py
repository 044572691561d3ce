"""Where a form leads back to."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def return_address(request: HttpRequest, default: str) -> str:
    """The page named by `next`, else the page the form was on, if it is one of ours; else `default`."""
    named = request.POST.get("next") or request.GET.get("next") or ""
    for address in (named, request.headers.get("Referer", "")):
        if address and url_has_allowed_host_and_scheme(address, {request.get_host()}):
            parts = urlsplit(address)
            return f"{parts.path}?{parts.query}" if parts.query else parts.path
    return default
