"""A session that a provider vouches for: in its own workspace, away from the login itself, as long as it is trusted."""

from __future__ import annotations

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.test import Client

from accounts.models import IdentityProvider, Membership, Role
from accounts.services.workspaces import add_member
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.sso.conftest import begin, connect, is_in, is_out, sign_in
from tests.accounts.sso.provider import Provider
from tests.accounts.web import web
from tests.conftest import Cast


def test_it_is_valid_in_the_providers_own_workspace_only(cast: Cast, trusted: Provider) -> None:
    with workspace_scope(cast.other.pk):
        add_member(user=cast.ada, role=Role.OWNER, acting_user=cast.zoe)
    connect(cast, trusted, cast.ada, "ada-there")
    client, _ = sign_in(cast.workspace, trusted)
    assert is_in(client)
    assert client.post("/workspaces/current/", {"workspace": cast.other.public_id}).status_code == 404
    assert "Zorg" not in client.get("/queue/").content.decode()
    with workspace_scope(cast.workspace.pk):
        Membership.objects.filter(user=cast.ada).update(is_active=False)
    assert client.get("/queue/").status_code == 403, "not even when it is the only one left"
    assert client.post("/workspaces/new/", {}).status_code == 403
    own = web(cast.ada)
    assert own.post("/workspaces/current/", {"workspace": cast.other.public_id}).status_code == 302


def test_it_cannot_touch_the_login_itself(cast: Cast, trusted: Provider) -> None:
    """Else who runs the provider would set a password, and then own the login everywhere."""
    connect(cast, trusted, cast.ada, "ada-there")
    client, _ = sign_in(cast.workspace, trusted)
    for path in (
        "/password/change/",
        "/password/set/",
        "/email/",
        "/2fa/",
        "/2fa/totp/activate/",
        "/2fa/recovery-codes/",
        "/2fa/webauthn/",
        "/3rdparty/",
        "/reauthenticate/",
    ):
        for answer in (client.get(path), client.post(path, {"password1": "a-new-long-word"})):
            assert answer.status_code == 403, path
    assert "sign in with your password" in client.get("/settings/profile/").content.decode().lower()
    client.post("/settings/profile/disconnection/")
    assert SocialAccount.objects.count() == 1
    assert client.post("/logout/").status_code == 302
    assert is_out(client)


def test_a_later_sign_in_by_password_is_whole_again(cast: Cast, trusted: Provider) -> None:
    connect(cast, trusted, cast.ada, "ada-there")
    client, _ = sign_in(cast.workspace, trusted)
    client.post("/logout/")
    client.post("/login/", {"login": "ada@example.com", "password": "correct-horse-battery"})
    assert client.get("/2fa/").status_code == 200


def test_who_lost_access_stays_out(cast: Cast, trusted: Provider) -> None:
    connect(cast, trusted, cast.ben.user, "ben-there")
    client, _ = sign_in(cast.workspace, trusted)
    with workspace_scope(cast.workspace.pk):
        Membership.objects.filter(pk=cast.ben.pk).update(is_active=False)
    assert client.get("/queue/").status_code == 403
    again, answer = sign_in(cast.workspace, trusted)
    assert answer.status_code == 403 and is_out(again)


def test_switching_the_provider_off_ends_its_sessions(cast: Cast, trusted: Provider) -> None:
    connect(cast, trusted, cast.ada, "ada-there")
    client, _ = sign_in(cast.workspace, trusted)
    with workspace_scope(cast.workspace.pk):
        IdentityProvider.objects.update(is_enabled=False)
    assert client.get("/queue/").status_code == 302
    assert is_out(client)
    assert begin(cast.workspace, Client()).status_code == 404


def test_another_issuer_means_another_person(cast: Cast, trusted: Provider) -> None:
    connect(cast, trusted, cast.ada, "1")
    with workspace_scope(cast.workspace.pk):
        IdentityProvider.objects.update(issuer=trusted.issuer.replace("127.0.0.1", "localhost"))
    trusted.config = {"issuer": trusted.issuer.replace("127.0.0.1", "localhost")}
    trusted.bend = lambda claims: claims.update(iss=trusted.config["issuer"])
    settings.OUTGOING_ALLOWED_HOSTS.append(
        trusted.issuer.removeprefix("http://").replace("127.0.0.1", "localhost")
    )
    client, answer = sign_in(cast.workspace, trusted)
    assert answer.status_code == 403 and is_out(client)
