"""The provider, and the workspace that trusts it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import IdentityProvider, Workspace
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.sso.provider import Provider, openid_provider


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
