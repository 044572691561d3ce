"""Passkeys where a browser would refuse them without a word: said before the click, in both languages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.builders import PASSWORD
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
PRESS, WORDS = 'id="mfa_webauthn_add"', "do not work here"


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.BASE_URL = "http://127.0.0.1:8000"
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "cs.example.com", "192.0.2.7"]
    settings.CSRF_TRUSTED_ORIGINS = []


def pages(client: Client, cast: Cast, host: str, **extra: Any) -> list[str]:
    """The second factors, and the page of a new key."""
    found = []
    client.force_login(cast.ada)
    client.post("/reauthenticate/", {"password": PASSWORD}, HTTP_HOST=host, **extra)
    for path in ("/2fa/", "/2fa/webauthn/add/"):
        answer = client.get(path, HTTP_HOST=host, **extra)
        assert answer.status_code == 200, (path, answer.headers)
        found.append(answer.content.decode())
    return found


@pytest.mark.parametrize(
    ("host", "leads_to"),
    [
        ("127.0.0.1:8000", "http://localhost:8000"),
        ("[::1]:8000", "http://localhost:8000"),
        ("192.0.2.7", ""),
        ("cs.example.com", ""),
    ],
)
def test_where_it_cannot_work_nothing_is_to_press(cast: Cast, host: str, leads_to: str) -> None:
    factors, adding = pages(Client(), cast, host)
    assert PRESS not in adding
    assert WORDS in factors and WORDS in adding
    assert ("over https only" in factors) == (host == "cs.example.com")
    for page, path in ((factors, "/2fa/"), (adding, "/2fa/webauthn/add/")):
        assert (f'href="{leads_to}{path}"' in page) if leads_to else "Open the platform under" in page


@pytest.mark.parametrize(("host", "is_secure"), [("localhost:8000", False), ("cs.example.com", True)])
def test_where_it_works_nothing_is_said(cast: Cast, host: str, is_secure: bool) -> None:
    factors, adding = pages(Client(), cast, host, secure=is_secure)
    assert PRESS in adding
    assert WORDS not in factors and WORDS not in adding


def test_the_platforms_own_name_is_named(cast: Cast, settings: Any) -> None:
    settings.BASE_URL = "https://cs.example.com"
    factors, _adding = pages(Client(), cast, "192.0.2.7")
    assert 'href="https://cs.example.com/2fa/"' in factors


def test_it_is_said_in_korean(cast: Cast) -> None:
    factors, _adding = pages(Client(headers={"accept-language": "ko"}), cast, "127.0.0.1:8000")
    assert "IP 주소로 열려 있습니다" in factors
