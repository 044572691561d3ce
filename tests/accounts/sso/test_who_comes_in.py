"""Whom the workspace's provider lets in: the invited, the joined, the connected, nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Membership, Role, User
from accounts.services import invitations
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.sso.conftest import connect, is_in, is_out, sign_in, trust
from tests.accounts.sso.provider import Provider
from tests.accounts.web import web
from tests.conftest import Cast

NEW = {"sub": "nina", "email": "nina@example.com", "email_verified": True, "name": "Nina New"}


def invite(cast: Cast, email: str, role: str = Role.CSM) -> Invitation:
    with workspace_scope(cast.workspace.pk):
        return invitations.invite(email=email, role=role, acting_user=cast.ada, now=timezone.now())[0]


def test_an_open_invitation_for_the_verified_address_lets_in_once(cast: Cast, trusted: Provider) -> None:
    opened = invite(cast, "nina@example.com", Role.CSM)
    trusted.person = NEW
    client, answer = sign_in(cast.workspace, trusted)
    assert answer.status_code == 302 and is_in(client)
    user = User.objects.get(email="nina@example.com")
    assert user.name == "Nina New" and not user.has_usable_password()
    with workspace_scope(cast.workspace.pk):
        assert Membership.objects.get(user=user).role == Role.CSM
        assert Invitation.objects.get(pk=opened.pk).accepted_at
    again, _ = sign_in(cast.workspace, trusted)
    assert is_in(again)
    assert User.objects.filter(email="nina@example.com").count() == 1


@pytest.mark.parametrize(
    ("person", "joins"),
    [
        (NEW, False),
        ({**NEW, "email": "nina@example.org"}, True),
        ({**NEW, "email": "nina@sub.example.com"}, True),
        ({**NEW, "email": "nina@example.com.evil.org"}, True),
        ({**NEW, "email_verified": False}, True),
        ({**NEW, "email_verified": 1}, True),
        ({**NEW, "email_verified": "yes"}, True),
        ({key: value for key, value in NEW.items() if key != "email_verified"}, True),
        ({"sub": "nina"}, True),
    ],
    ids=["uninvited", "foreign", "subdomain", "suffix", "unverified", "number", "word", "unsaid", "no mail"],
)
def test_nobody_else_comes_in(cast: Cast, provider: Provider, person: dict[str, Any], joins: bool) -> None:
    trust(cast.workspace, provider, joins=joins, domains=["example.com"])
    provider.person, before = person, User.objects.count()
    client, answer = sign_in(cast.workspace, provider)
    assert answer.status_code == 403 and is_out(client)
    assert User.objects.count() == before


def test_domains_let_their_people_join(cast: Cast, provider: Provider) -> None:
    trust(cast.workspace, provider, joins=True, domains=["example.com"], newcomer_role="viewer")
    provider.person = {**NEW, "email": "Nina@Example.com"}
    client, _ = sign_in(cast.workspace, provider)
    assert is_in(client)
    with workspace_scope(cast.workspace.pk):
        assert Membership.objects.get(user__email="nina@example.com").role == Role.VIEWER


def test_an_invitation_without_a_verified_address_lets_nobody_in(cast: Cast, trusted: Provider) -> None:
    invite(cast, "nina@example.com")
    trusted.person = {**NEW, "email_verified": False}
    client, answer = sign_in(cast.workspace, trusted)
    assert "does not confirm" in answer.content.decode() and is_out(client)


@pytest.mark.parametrize("state", ["expired", "revoked"])
def test_a_closed_invitation_lets_nobody_in(cast: Cast, trusted: Provider, state: str) -> None:
    opened, now = invite(cast, "nina@example.com"), timezone.now()
    values = {"expires_at": now - timedelta(minutes=1)} if state == "expired" else {"revoked_at": now}
    with workspace_scope(cast.workspace.pk):
        Invitation.objects.filter(pk=opened.pk).update(**values)
    trusted.person = NEW
    client, answer = sign_in(cast.workspace, trusted)
    assert answer.status_code == 403 and is_out(client)


def test_never_by_the_mail_address_of_a_login_that_exists(cast: Cast, provider: Provider) -> None:
    """Ada owns Acme. Whoever runs Zorg's provider says to be her: nothing happens, and she is told what to do."""
    for workspace in (cast.workspace, cast.other):
        trust(workspace, provider, joins=True, domains=["example.com"])
        provider.person = {"sub": "evil", "email": "ADA@example.com", "email_verified": True}
        client, answer = sign_in(workspace, provider)
        assert answer.status_code == 403 and is_out(client)
        assert "connect your company" in answer.content.decode()
    assert not SocialAccount.objects.exists()


def test_a_login_is_connected_on_the_profile_page_and_then_lets_in(cast: Cast, trusted: Provider) -> None:
    connect(cast, trusted, cast.ada, "ada-there")
    client, _ = sign_in(cast.workspace, trusted)
    assert is_in(client)
    assert client.get("/settings/keys/").status_code == 200, "as the owner she is"
    page = web(cast.ada).get("/settings/profile/").content.decode()
    assert "Disconnect" in page
    web(cast.ada).post("/settings/profile/disconnection/")
    assert not SocialAccount.objects.exists()


def test_only_members_connect_and_only_by_their_own_means(cast: Cast, trusted: Provider) -> None:
    trusted.person = {"sub": "x", "email": "x@example.org", "email_verified": True}
    for client in (web(cast.zoe), Client()):
        _, answer = sign_in(cast.workspace, trusted, client, process="connect")
        assert answer.status_code == 403
    connect(cast, trusted, cast.ada, "ada-there")
    vouched, _ = sign_in(cast.workspace, trusted)
    trusted.person = {"sub": "another", "email": "x@example.org", "email_verified": True}
    _, answer = sign_in(cast.workspace, trusted, vouched, process="connect")
    assert answer.status_code == 403
    assert SocialAccount.objects.count() == 1
