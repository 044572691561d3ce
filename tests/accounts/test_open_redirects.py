"""No parameter that says where to go next leads to another site, whatever is typed into it (check 52)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Role
from accounts.services.workspaces import add_member
from cs_platform.lib.scoping import workspace_scope
from tests.access.conftest import made
from tests.access.table import OURS, addresses, path_of
from tests.accounts.web import web
from tests.builders import PASSWORD

__all__ = ["made"]
HOST = "testserver"
PAYLOADS = [
    "https://evil.example.com",
    "http://evil.example.com/",
    "HTTPS://EVIL.example.com",
    "//evil.example.com",
    "///evil.example.com",
    "////evil.example.com",
    "/\\evil.example.com",
    "\\\\evil.example.com",
    "\\/evil.example.com",
    "/\\/evil.example.com",
    "https:evil.example.com",
    "https:/evil.example.com",
    "https:///evil.example.com",
    "https:\\\\evil.example.com",
    "//evil.example.com/%2f..",
    "//evil.example.com\\@testserver",
    "https://testserver@evil.example.com",
    "https://testserver:pw@evil.example.com",
    "https://testserver.evil.example.com",
    "https://evil.example.com#testserver",
    "https://evil.example.com?testserver",
    "https://evil.example.com/testserver",
    "//evil.example.com:80#@testserver/",
    "\t//evil.example.com",
    "/\t/evil.example.com",
    "\n//evil.example.com",
    "/\r\n/evil.example.com",
    " //evil.example.com",
    "\x00//evil.example.com",
    "\u3000//evil.example.com",
    "//evil\u3002example\u3002com",
    "/\u2215evil.example.com",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "ftp://evil.example.com",
    "//[::1]/",
    "http://1.2.3.4/",
]
# Names by which forms, views and the libraries under them take a way back; the source is searched for them, too.
NAMES = ("next", "redirect", "redirect_to", "redirect_url", "return", "return_to", "back", "url", "continue")
_LOCATIONS = ("Location", "HX-Redirect", "HX-Location", "Refresh")


def leaves(location: str, base: str) -> bool:
    """As browsers read an address: control characters dropped, backslashes as slashes."""
    read = re.sub(r"[\t\r\n]", "", location).lstrip("".join(map(chr, range(33)))).replace("\\", "/")
    parts = urlsplit(urljoin(f"http://{HOST}{base}", read))
    return parts.scheme not in ("http", "https") or parts.hostname != HOST


def check(answer: object, base: str, payload: str) -> None:
    for name in _LOCATIONS:
        if (location := answer.headers.get(name)) is not None:  # type: ignore[attr-defined]
            assert not leaves(location, base), (base, payload, location)


def test_the_judge_knows_an_address_that_leaves() -> None:
    assert len(set(PAYLOADS)) >= 40
    assert sum(leaves(payload, "/login/") for payload in PAYLOADS) >= 25
    assert not leaves("/queue/?next=//evil.example.com", "/login/")


def test_every_name_of_a_way_back_is_known() -> None:
    """Whoever reads a new parameter of this kind adds it here."""
    pattern = re.compile(
        r"(?:GET|POST)(?:\.get\(|\[)\s*[\"'](\w*(?:next|redirect|return|back|goto|target)\w*)[\"']"
    )
    found = {
        name
        for app in ("accounts", "health", "feedback", "onboarding", "dunning", "winback", "cs_platform")
        for path in Path(settings.BASE_DIR, app).rglob("*.py")
        for name in pattern.findall(path.read_text())
    }
    assert found <= {*NAMES, "back"}, found - set(NAMES)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_signing_in_and_out_stays_here(cast, payload) -> None:
    """The whole way: the payload in the address, then in the form."""
    for place in ("query", "form"):
        data = {"login": "ada@example.com", "password": PASSWORD}
        client = Client()
        query = {"next": payload} if place == "query" else {}
        form = {**data, **({"next": payload} if place == "form" else {})}
        answer = client.post("/login/", form, query_params=query)
        assert answer.status_code == 302
        check(answer, "/login/", payload)
        check(client.get("/login/", query), "/login/", payload)  # already in: led on at once
        check(client.post("/i18n/setlang/", {"language": "ko", "next": payload}), "/i18n/setlang/", payload)
        check(
            client.post("/i18n/setlang/", {"language": "ko"}, headers={"Referer": f"http://{HOST}/queue/"}),
            "/i18n/setlang/",
            payload,
        )
        check(
            client.post("/reauthenticate/", {"password": PASSWORD, "next": payload}),
            "/reauthenticate/",
            payload,
        )
        check(
            client.post("/workspaces/current/", {"workspace": cast.workspace.public_id, "next": payload}),
            "/",
            payload,
        )
        check(client.post("/logout/", {"next": payload}, query_params=query), "/logout/", payload)


def test_no_address_of_ours_leads_away(cast, made) -> None:
    """Every address, read and posted to, with every name at once. Whoever leads somewhere is asked again and again:
    each judges by its own rule, and a page that is shown leads nowhere with another payload either.
    """
    with workspace_scope(cast.other.pk):
        add_member(user=cast.ada, role=Role.CSM, acting_user=cast.zoe)
    client, ways = web(cast.ada), []
    for address in OURS:
        path = path_of(address, made)
        for ask in (read, post):
            answer: Any = ask(client, path, PAYLOADS[0])
            if any(name in answer.headers for name in _LOCATIONS):
                ways.append((ask, path))
    assert len(ways) > 20, "hardly anything leads anywhere: the run proves nothing"
    for number, (ask, path) in enumerate(ways):
        for step in (7, 18, 29):
            ask(client, path, PAYLOADS[(number + step) % len(PAYLOADS)])


def read(client: Client, path: str, payload: str) -> object:
    answer = client.get(path, dict.fromkeys(NAMES, payload))
    check(answer, path, payload)
    return answer


def post(client: Client, path: str, payload: str) -> object:
    values = dict.fromkeys(NAMES, payload)
    answer = client.post(path, values, query_params=values)
    check(answer, path, payload)
    return answer


def test_doors_lead_nowhere_else(cast) -> None:
    names = {a.name for a in addresses() if a.name.startswith(("account_", "mfa_", "accounts:sso"))}
    assert "account_login" in names
    for payload in PAYLOADS:
        for path in (
            "/sso/",
            "/sso/acme/",
            "/password/reset/",
            "/signup/",
            "/2fa/authenticate/",
            "/login/code/",
        ):
            check(Client().get(path, dict.fromkeys(NAMES, payload)), path, payload)
        check(Client().get("/sso/", {"workspace": payload}), "/sso/", payload)
