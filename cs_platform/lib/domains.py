"""Domains as people write them: bare, with `www.`, or inside the address of a page."""

from __future__ import annotations

import re

MAX_CHARACTERS = 253
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")
_PORT = re.compile(r":\d{1,5}$")
# Letters of any script; what is not a name of a top-level domain (a digit, one letter) ends no domain.
_LABEL = r"[^\W_](?:(?:[^\W_]|-){0,61}[^\W_])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?:xn--[a-z0-9-]{{2,59}}|[^\W\d_]{{2,63}})")


def read_domain(text: str) -> str | None:
    """The domain in lower case and without `www.`; None where the text names none ("n/a", "none", an IP address)."""
    host = re.split(r"[/?#]", _SCHEME.sub("", text.strip().lower(), count=1), maxsplit=1)[0]
    host = _PORT.sub("", host).removesuffix(".").removeprefix("www.")
    return host if len(host) <= MAX_CHARACTERS and _DOMAIN.fullmatch(host) else None
