"""The provider, and the workspace that trusts it."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from accounts.models import IdentityProvider, User, Workspace
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.sso.provider import Provider, openid_provider
from tests.conftest import Cast


@pytest.fixture
def provider(settings: Any):
    with openid_provider(settings) as book:
        yield book


def trust(workspace: Workspace, book: Provider, **values: Any) -> IdentityProvider:
    with workspace_scope(workspace.pk):
        return IdentityProvider.objects.create(
            **{
                "name": "Okta",
                "issuer": book.issuer,
                "client_id": book.client_id,
                "client_secret": book.client_secret,
                "authorize_origin": book.issuer,
                "is_enabled": True,
                **values,
            }
        )


@pytest.fixture
def trusted(cast: Any, provider: Provider) -> Provider:
    trust(cast.workspace, provider)
    return provider


def begin(workspace: Workspace, client: Client, **form: str) -> Any:
    return client.post(f"/oidc/{workspace.public_id.hex}/login/", {"process": "login", **form})


def come_back(client: Client, address: str) -> Any:
    return client.get(address.removeprefix("http://testserver"))


def sign_in(
    workspace: Workspace, book: Provider, client: Client | None = None, **form: str
) -> tuple[Client, Any]:
    """The whole way there and back; the browser and the last answer."""
    client = client or Client()
    away = begin(workspace, client, **form)
    assert away.status_code == 302, away.content.decode()
    return client, come_back(client, book.authorize(away.url))


def is_in(client: Client) -> bool:
    return client.get("/queue/").status_code == 200


def is_out(client: Client) -> bool:
    answer = client.get("/queue/")
    return answer.status_code == 302 and answer.url.startswith("/login/")


def connect(cast: Cast, book: Provider, user: User, subject: str) -> None:
    """As on the profile page: signed in by password, then there and back."""
    book.person = {"sub": subject, "email": "whatever@example.org", "email_verified": True}
    client = Client()
    client.post("/login/", {"login": user.email, "password": "correct-horse-battery"})
    _, answer = sign_in(cast.workspace, book, client, process="connect")
    assert answer.status_code == 302 and answer.url == "/settings/profile/", answer.content.decode()
    assert SocialAccount.objects.filter(user=user).exists()
