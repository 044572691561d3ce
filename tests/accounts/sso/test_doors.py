"""Addresses: what a provider can make us ask, where the door leads and what it tells a stranger."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests.accounts.sso.conftest import begin, connect, is_out, sign_in, trust
from tests.accounts.sso.provider import Provider
from tests.accounts.web import web
from tests.conftest import Cast


@pytest.mark.parametrize(
    "inside",
    [
        "http://169.254.169.254",
        "https://127.0.0.1:5432",
        "https://10.0.0.1",
        "https://[::1]",
        "https://localhost",
    ],
)
def test_an_issuer_reaches_nothing_inside(cast: Cast, provider: Provider, inside: str) -> None:
    trust(cast.workspace, provider, issuer=inside)
    answer = begin(cast.workspace, Client())
    assert answer.status_code == 401
    form = {"name": "X", "issuer": inside, "client_id": "x", "newcomer_role": "viewer", "test": "1"}
    page = web(cast.ada).post("/settings/sign-in/provider/", form)
    assert page.status_code == 422
    assert provider.asked == []


def test_nor_do_its_endpoints_or_redirects(cast: Cast, trusted: Provider) -> None:
    connect(cast, trusted, cast.ada, "ada-there")
    for name in ("token_endpoint", "jwks_uri"):
        trusted.config = {name: "http://127.0.0.1:1/inside"}
        client, answer = sign_in(cast.workspace, trusted)
        assert answer.status_code == 401 and is_out(client), name
    trusted.config = {}
    trusted.redirects = {"/keys": f"{trusted.issuer}/elsewhere"}
    _, answer = sign_in(cast.workspace, trusted)
    assert answer.status_code == 401
    assert "/elsewhere" not in trusted.asked


def test_a_wrong_or_silent_provider_is_a_page_not_an_error(cast: Cast, trusted: Provider) -> None:
    for config in (
        {"issuer": "https://other.example.com"},
        {"token_endpoint": None},
        {"authorization_endpoint": 5},
    ):
        trusted.config = config
        answer = begin(cast.workspace, Client())
        assert answer.status_code == 401
        assert "other.example.com" not in answer.content.decode()


def test_unknown_workspaces_and_those_without_a_provider_look_alike(cast: Cast, trusted: Provider) -> None:
    without, unknown = Client().get("/sso/zorg/"), Client().get("/sso/zzzz/")
    assert without.status_code == unknown.status_code == 404
    assert plain(without).replace("zorg", "") == plain(unknown).replace("zzzz", "")
    for path in (cast.other.public_id.hex, "0" * 32, "nonsense"):
        assert Client().post(f"/oidc/{path}/login/").status_code == 404
        assert Client().get(f"/oidc/{path}/login/callback/").status_code == 404


def plain(answer: Any) -> str:
    """The page without what differs by chance."""
    return re.sub(r'(nonce|value|content)="[^"]*"', "", answer.content.decode())


def test_the_door_lets_its_form_out_to_the_provider_only(cast: Cast, trusted: Provider) -> None:
    door = Client().get("/sso/acme/")
    assert "Continue with Okta" in door.content.decode()
    policy = door["Content-Security-Policy"]
    assert f"form-action 'self' {trusted.issuer}" in policy
    assert trusted.issuer not in Client().get("/sso/")["Content-Security-Policy"]
    assert Client().get("/sso/?workspace=acme").url == "/sso/acme/"
    assert Client().get(f"/oidc/{cast.workspace.public_id.hex}/login/").status_code == 302, (
        "a GET begins nothing"
    )
    assert "/sso/" in Client().get("/login/").content.decode()


def test_nothing_of_our_address_reaches_the_provider(cast: Cast, trusted: Provider) -> None:
    path = f"/oidc/{cast.workspace.public_id.hex}/login/?scope=admin&auth_params=nonce%3Dx%26prompt%3Dnone"
    away = Client().post(path, {"process": "login"}).url
    assert "admin" not in away and "prompt" not in away and "nonce=x" not in away


def test_a_way_back_to_another_site_is_not_taken(cast: Cast, trusted: Provider) -> None:
    connect(cast, trusted, cast.ada, "ada-there")
    _, answer = sign_in(cast.workspace, trusted, next="https://evil.example.com/")
    assert answer.url == "/"
    _, answer = sign_in(cast.workspace, trusted, next="/accounts/")
    assert answer.url == "/accounts/"
