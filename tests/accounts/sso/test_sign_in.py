"""Sign-in by the workspace's provider: whom it lets in, where it holds, what it never believes."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import IdentityProvider, Invitation, Membership, Role, User
from accounts.services import invitations
from accounts.services.workspaces import add_member
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.sso.conftest import begin, come_back, sign_in, trust
from tests.accounts.sso.provider import OTHER_KEY, Provider
from tests.accounts.web import web
from tests.conftest import Cast

NEW = {"sub": "nina", "email": "nina@example.com", "email_verified": True, "name": "Nina New"}


def is_in(client: Client) -> bool:
    return client.get("/queue/").status_code == 200


def is_out(client: Client) -> bool:
    answer = client.get("/queue/")
    return answer.status_code == 302 and answer.url.startswith("/login/")


def invite(cast: Cast, email: str, role: str = Role.CSM) -> Invitation:
    with workspace_scope(cast.workspace.pk):
        return invitations.invite(email=email, role=role, acting_user=cast.ada, now=timezone.now())[0]


def connect(cast: Cast, book: Provider, user: User, subject: str) -> None:
    """As on the profile page: signed in by password, then there and back."""
    book.person = {"sub": subject, "email": "whatever@example.org", "email_verified": True}
    client = Client()
    client.post("/login/", {"login": user.email, "password": "correct-horse-battery"})
    _, answer = sign_in(cast.workspace, book, client, process="connect")
    assert answer.status_code == 302 and answer.url == "/settings/profile/", answer.content.decode()
    assert SocialAccount.objects.filter(user=user).exists()


# --- Who comes in -----------------------------------------------------------------------------------------------


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


# --- Where it holds ---------------------------------------------------------------------------------------------


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


# --- What it never believes -------------------------------------------------------------------------------------


def _bad(name: str, value: Any) -> Any:
    return lambda claims: claims.update({name: value})


BENT = {
    "audience": _bad("aud", "another-client"),
    "audiences": _bad("aud", ["our-client", "another-client"]),
    "party": _bad("azp", "another-client"),
    "issuer": _bad("iss", "https://evil.example.com"),
    "nonce": _bad("nonce", "f" * 64),
    "no nonce": lambda claims: claims.pop("nonce"),
    "expired": _bad("exp", int(time.time()) - 3600),
    "no expiry": lambda claims: claims.pop("exp"),
    "from tomorrow": _bad("iat", int(time.time()) + 86_400),
    "no subject": lambda claims: claims.pop("sub"),
    "empty subject": _bad("sub", ""),
}


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT.keys())
def test_a_token_that_is_not_for_this_attempt_is_refused(cast: Cast, trusted: Provider, bend: Any) -> None:
    connect(cast, trusted, cast.ada, "ada-there")
    trusted.bend = bend
    client, answer = sign_in(cast.workspace, trusted)
    assert answer.status_code == 401 and is_out(client)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(OTHER_KEY, "RS256"), ("", "none"), ("s3cret-of-the-client" * 2, "HS256")],
    ids=["stranger", "unsigned", "shared secret"],
)
def test_only_the_providers_own_signature_counts(
    cast: Cast, trusted: Provider, key: Any, algorithm: str
) -> None:
    connect(cast, trusted, cast.ada, "ada-there")
    trusted.sign_with, trusted.algorithm = key, algorithm
    client, answer = sign_in(cast.workspace, trusted)
    assert answer.status_code == 401 and is_out(client)


def test_an_answer_to_somebody_elses_attempt_is_refused(cast: Cast, trusted: Provider) -> None:
    connect(cast, trusted, cast.ada, "ada-there")
    attacker, victim = Client(), Client()
    address = trusted.authorize(begin(cast.workspace, attacker).url)
    assert come_back(victim, address).status_code == 401 and is_out(victim), "another browser"
    mine = Client()
    state = trusted.authorize(begin(cast.workspace, mine).url).partition("state=")[2]
    stolen = trusted.authorize(begin(cast.workspace, attacker).url).partition("code=")[2].partition("&")[0]
    path = f"/oidc/{cast.workspace.public_id.hex}/login/callback/"
    answer = mine.get(path, {"code": stolen, "state": state})
    assert answer.status_code == 401 and is_out(mine), "a code from another attempt"
    address = trusted.authorize(begin(cast.workspace, attacker).url)
    assert come_back(attacker, address + "&iss=https://evil.example.com").status_code == 401
    address = trusted.authorize(begin(cast.workspace, attacker).url)
    assert come_back(attacker, address).status_code == 302
    attacker.post("/logout/")
    assert come_back(attacker, address).status_code == 401 and is_out(attacker), "the same answer twice"


def test_a_second_factor_stays_asked_for_and_the_session_stays_inside(cast: Cast, trusted: Provider) -> None:
    connect(cast, trusted, cast.ada, "ada-there")
    TOTP.activate(cast.ada, generate_totp_secret())
    codes = RecoveryCodes.activate(cast.ada).get_unused_codes()
    client, answer = sign_in(cast.workspace, trusted)
    assert answer.status_code == 302 and "/2fa/authenticate/" in answer.url
    assert is_out(client)
    client.post("/2fa/authenticate/", {"code": codes[0]})
    assert is_in(client)
    assert client.get("/2fa/").status_code == 403, "still vouched for by the provider"


# --- Addresses --------------------------------------------------------------------------------------------------


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
