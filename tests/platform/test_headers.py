"""The security headers of every answer."""

import re

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
FORBIDDEN = ("unsafe-inline", "unsafe-eval", "*", "http:", "https:")


@pytest.mark.parametrize("path", ["/login/", "/healthz", "/no-such-page/"])
def test_the_policy_is_strict(client: Client, path: str) -> None:
    response = client.get(path)
    policy = dict(
        part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";") if part.strip()
    )
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("object-src", "base-uri", "frame-ancestors")} == {"'none'"}
    assert policy["form-action"] == "'self'"
    assert not [word for word in FORBIDDEN for value in policy.values() if word in value.split()]
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


def test_nonces_differ_between_answers_and_no_script_is_inline(client: Client) -> None:
    pages = [client.get("/login/").content.decode() for _ in range(2)]
    nonces = [set(re.findall(r'nonce="([^"]+)"', page)) for page in pages]
    assert not nonces[0] & nonces[1]
    for page in pages:
        assert not re.findall(r"<script(?![^>]*(?:src=|nonce=|application/json))", page)
        assert not re.findall(r"\sstyle=|\son[a-z]+=\"|<style(?![^>]*nonce=)", page)


def test_cookies_are_closed_to_scripts_and_other_sites(client: Client) -> None:
    client.get("/login/")
    for name, cookie in client.cookies.items():
        assert cookie["samesite"] == "Lax", name
        if name != "django_language":
            assert cookie["httponly"], name
