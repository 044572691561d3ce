"""A mail inside a page: a document of its own, in a frame that runs nothing.

A mail's styles stand on its elements, which our content security policy forbids. For showing, they are moved
into one style sheet with the page's nonce; the mail that is sent is not touched.
"""

from __future__ import annotations

import re
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.html import escape

_STYLE = re.compile(r'\sstyle="([^"]*)"')
_SCHEME = "(prefers-color-scheme:dark)"

# Only pages of ours may frame it, and nothing in it may run, whatever the mail says.
framed: Any = csp_replace({"frame-ancestors": [SELF], "sandbox": True})


def frame_response(request: HttpRequest, html: str, *, scheme: str = "light") -> HttpResponse:
    """The mail as a document. `scheme`: "light" or "dark", whatever the reader's own is."""
    response = HttpResponse(for_showing(html, nonce=str(request.csp_nonce), scheme=scheme))  # type: ignore[attr-defined]
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def for_showing(html: str, *, nonce: str, scheme: str) -> str:
    styles: dict[str, int] = {}

    def move(found: re.Match[str]) -> str:
        return f' data-s="{styles.setdefault(found[1], len(styles))}"'

    shown = _STYLE.sub(move, html)
    rules = "".join(f'[data-s="{n}"]{{{_plain(style)}}}' for style, n in styles.items())
    is_dark = scheme == "dark"
    shown = shown.replace(_SCHEME, "all" if is_dark else "not all")
    shown = shown.replace("color-scheme:light dark", f"color-scheme:{'dark' if is_dark else 'light'}")
    # The document's own rules come last: those for dark and narrow screens must win.
    shown = shown.replace("<style>\n", f'<style nonce="{escape(nonce)}">{rules}\n', 1)
    return shown.replace(f'src="{settings.BASE_URL}/brand/', 'src="/brand/')


def _plain(style: str) -> str:
    return style.replace("&#x27;", "'").replace("&quot;", '"').replace("<", "")


def message_response(request: HttpRequest, message: str) -> HttpResponse:
    """A sentence where the mail would be."""
    html = f'<!doctype html><meta charset="utf-8"><title>–</title><p>{escape(message)}</p>'
    response = HttpResponse(html)
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
