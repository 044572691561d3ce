"""What people type stays text: hundreds of texts that try to be markup or script, in every field, on every page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from accounts.models import Role
from accounts.services.audit import audit
from cs_platform.lib.scoping import workspace_scope
from tests.access.table import OURS, path_of, signed_in
from tests.crowd import Crowd, lived_in, plant
from tests.generated.payloads import SHAPES, endless, vectors
from tests.generated.test_query_counts import roles_with_or_all

ADDRESSES = {"href", "src", "action", "formaction", "data", "srcdoc", "xlink:href", "hx-get", "hx-post"}
ASKED = {"q": vectors()[7], "sort": '"><x-1>', "view": "'><x-1>", "next": "javascript:xssRan"}
SCRIPT_ADDRESS = re.compile(r"^[\s\x00-\x20]*(javascript|vbscript|data:text/html)", re.IGNORECASE)


class Escaped(HTMLParser):
    """Collects elements, attributes and scripts that can only come from a planted text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.inside = ""
        self.seen = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        if re.match(r"x-\d", tag):
            self.found.append(f"<{tag}>")
        for name, value in attributes:
            self.seen += "xssRan" in (value or "")
            is_address = name in ADDRESSES and SCRIPT_ADDRESS.match(value or "")
            if name.startswith(("on", "data-x-", "hx-on")) or "xssran" in name or is_address:
                self.found.append(f"<{tag} {name}={value!r}>"[:200])

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        self.seen += data.count("xssRan")
        if self.inside in ("script", "style") and "xssRan" in data:
            self.found.append(f"<{self.inside}>{data}"[:200])

    def handle_comment(self, data: str) -> None:
        if "xssRan" in data:
            self.found.append(f"<!--{data}"[:200])


def escapes(html: str) -> tuple[list[str], int]:
    """What became markup, and how many planted texts are on the page at all."""
    parser = Escaped()
    parser.feed(html)
    parser.close()
    return parser.found, parser.seen


def test_the_parser_finds_what_it_is_for() -> None:
    """Unescaped, most of the vectors that are markup show; escaped, none."""
    from django.utils.html import escape

    dangerous = [text for text in vectors() if "<" in text]
    assert sum(bool(escapes(f"<p>{text}")[0]) for text in dangerous) > 0.6 * len(dangerous)
    assert not any(escapes(f"<p title='{escape(text)}'>{escape(text)}</p>")[0] for text in vectors())
    assert len(SHAPES) >= 60
    assert len(vectors()) >= 480


def hostile_world(cast: Any, copies: int) -> dict[str, Any]:
    """Every text that somebody can type or send holds another vector."""
    texts = endless()
    with workspace_scope(cast.workspace.pk):
        made = lived_in(cast.workspace)
        Crowd().grow(copies)
        assert plant(lambda: next(texts)) > len(vectors())  # type: ignore[call-overload]
        audit("accounts.workspace.changed", acting_user=None, name=next(texts))  # type: ignore[call-overload]
    cast.ada.name = next(texts)[:100]  # type: ignore[call-overload]
    cast.ada.save()
    cast.workspace.name = next(texts)[:100]  # type: ignore[call-overload]
    cast.workspace.save()
    return made


@pytest.mark.parametrize("copies", [8, pytest.param(24, marks=pytest.mark.soak)])
def test_no_text_becomes_markup(cast: Any, copies: int) -> None:
    made, client = hostile_world(cast, copies), signed_in(cast.ada)
    problems, seen, pages = [], 0, 0
    for address in OURS:
        if Role.OWNER not in roles_with_or_all(address.permission):
            continue
        for query in ({}, ASKED) if "<" not in address.route else ({},):
            response = client.get(path_of(address, made), query)
            assert response.status_code < 500, address
            if not response.headers.get("Content-Type", "").startswith("text/html"):
                continue
            found, planted = escapes(response.content.decode())
            problems += [f"{address.name}: {text}" for text in found]
            seen, pages = seen + planted, pages + 1
    assert problems == []
    assert pages > 100
    assert seen > len(vectors()), "hardly any planted text is on the pages: the run proves nothing"
