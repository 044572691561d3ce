"""Whether passkeys can work at the address of a page: browsers make and use them for names over a safe connection only."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.conf import settings
from django.http import HttpRequest

register = template.Library()


@dataclass(frozen=True)
class Hurdle:
    """`needs` is "name" or "https"; `url` is the same page where passkeys work, empty where we know of none."""

    needs: str
    url: str = ""


@register.simple_tag(takes_context=True)
def passkey_hurdle(context: dict[str, Any]) -> Hurdle | None:
    """What stands in the way of passkeys on this page; None where nothing does."""
    request: HttpRequest | None = context.get("request")
    if request is None:
        return None
    here = urlsplit(f"{request.scheme}://{request.get_host()}")
    host = here.hostname or ""
    if is_address(host):
        return Hurdle("name", _named(request, here.port, is_loopback=ip_address(host).is_loopback))
    if request.is_secure() or host == "localhost" or host.endswith(".localhost"):
        return None
    return Hurdle("https", _base(request) if settings.BASE_URL.startswith("https://") else "")


def is_address(host: str) -> bool:
    """A bare IP address, of either kind."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _named(request: HttpRequest, port: int | None, *, is_loopback: bool) -> str:
    """This page under the platform's own name, or under this machine's."""
    if not is_address(urlsplit(settings.BASE_URL).hostname or "0.0.0.0"):  # no address to bind  # nosec B104
        return _base(request)
    allowed = {"localhost", "*"} & set(settings.ALLOWED_HOSTS)
    if not (is_loopback and allowed):
        return ""
    return f"{request.scheme}://localhost{f':{port}' if port else ''}{request.path}"


def _base(request: HttpRequest) -> str:
    return f"{settings.BASE_URL}{request.path}"
