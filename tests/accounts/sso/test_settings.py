"""Settings of sign-in: the rule of the second factor, the form of the provider."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, IdentityProvider, Role, User, Workspace
from accounts.services import invitations
from accounts.services.workspaces import add_member
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.sso.conftest import sign_in, trust
from tests.accounts.sso.provider import Provider
from tests.accounts.web import web
from tests.builders import join
from tests.conftest import Cast

POLICY = "/settings/sign-in/"
PROVIDER = "/settings/sign-in/provider/"


def ask(cast: Cast, policy: str) -> None:
    Workspace.objects.filter(pk=cast.workspace.pk).update(mfa_policy=policy)


def secure(user: Any) -> None:
    TOTP.activate(user, generate_totp_secret())


def policy_of(cast: Cast) -> str:
    return Workspace.objects.get(pk=cast.workspace.pk).mfa_policy


@pytest.mark.parametrize(
    ("policy", "held_back"), [("optional", set()), ("admins", {"ada"}), ("everyone", {"ada", "ben", "vera"})]
)
def test_the_rule_binds_exactly_whom_it_names(cast: Cast, policy: str, held_back: set[str]) -> None:
    ask(cast, policy)
    people = {"ada": cast.ada, "ben": cast.ben.user, "vera": cast.vera.user}
    for name, user in people.items():
        answer = web(user).get("/queue/")
        assert (answer.status_code == 302 and answer.url == "/2fa/") == (name in held_back), name
    assert web(cast.zoe).get("/queue/").status_code == 200, "another workspace asks nothing"


def test_nothing_is_reached_or_written_without_the_factor(cast: Cast) -> None:
    ask(cast, "everyone")
    client = web(cast.ada)
    for path in ("/", "/queue/", "/accounts/", "/settings/keys/", "/settings/profile/", "/settings/sign-in/"):
        for answer in (client.get(path), client.post(path, {"name": "x", "scope": "read"})):
            assert answer.status_code == 302 and answer.url == "/2fa/", path
    part = client.get("/queue/", headers={"HX-Request": "true"})
    assert part["HX-Redirect"] == "/2fa/" and not part.content
    page = client.get("/queue/", follow=True).content.decode()
    assert "asks you for a second factor" in page
    with workspace_scope(cast.workspace.pk):
        assert not AuditEntry.objects.filter(action="accounts.api_key.created").exists()


def test_the_way_to_the_factor_stays_open_and_then_everything(cast: Cast) -> None:
    ask(cast, "everyone")
    client = Client()
    client.post("/login/", {"login": "ada@example.com", "password": "correct-horse-battery"})
    assert client.get("/2fa/").status_code == 200
    assert client.get("/2fa/totp/activate/", follow=True).status_code == 200
    secure(cast.ada)
    assert client.get("/queue/").status_code == 200


def test_recovery_codes_alone_are_no_factor(cast: Cast) -> None:
    ask(cast, "everyone")
    RecoveryCodes.activate(cast.ada)
    assert web(cast.ada).get("/queue/").status_code == 302


def test_taking_the_factor_away_shuts_the_door_with_the_next_request(cast: Cast) -> None:
    ask(cast, "everyone")
    secure(cast.ada)
    client = web(cast.ada)
    assert client.get("/queue/").status_code == 200
    Authenticator.objects.filter(user=cast.ada).delete()
    assert client.get("/queue/").status_code == 302


def test_the_providers_people_count_as_secured(cast: Cast, provider: Provider) -> None:
    ask(cast, "everyone")
    trust(cast.workspace, provider, joins=True, domains=["example.com"])
    provider.person = {"sub": "n", "email": "nina@example.com", "email_verified": True}
    client, _ = sign_in(cast.workspace, provider)
    assert client.get("/queue/").status_code == 200


def test_a_rule_that_asks_nobody_costs_no_query(cast: Cast) -> None:
    client = web(cast.ada)
    client.get("/settings/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/settings/")
    assert not any("mfa_authenticator" in query["sql"] for query in queries)


def test_who_has_none_is_warned_before_they_bind_themselves(cast: Cast) -> None:
    client = web(cast.ada)
    first = client.post(POLICY, {"mfa_policy": "admins"})
    assert first.status_code == 422 and policy_of(cast) == "optional"
    assert "You have no second factor yourself" in first.content.decode()
    assert client.post(POLICY, {"mfa_policy": "admins", "confirm": "on"}).status_code == 302
    assert policy_of(cast) == "admins"


def test_who_has_one_needs_no_warning(cast: Cast) -> None:
    secure(cast.ada)
    assert web(cast.ada).post(POLICY, {"mfa_policy": "everyone"}).status_code == 302
    with workspace_scope(cast.workspace.pk):
        entry = AuditEntry.objects.get(action="accounts.workspace.mfa_policy_changed")
    assert entry.data == {"before": "optional", "after": "everyone"}


def test_only_owners_make_it_weaker(cast: Cast) -> None:
    admin = join(cast.workspace, "Adam", Role.ADMIN).user
    for user in (admin, cast.ada):
        secure(user)
    assert web(admin).post(POLICY, {"mfa_policy": "everyone"}).status_code == 302
    answer = web(admin).post(POLICY, {"mfa_policy": "admins"})
    assert answer.status_code == 422 and policy_of(cast) == "everyone"
    assert web(cast.ada).post(POLICY, {"mfa_policy": "optional"}).status_code == 302
    assert policy_of(cast) == "optional"


def test_the_page_names_who_has_none(cast: Cast) -> None:
    secure(cast.ben.user)
    page = web(cast.ada).get(POLICY).content.decode()
    assert "<strong>2</strong> of 3 have no second factor yet" in page


def test_the_page_asks_the_same_queries_for_few_and_many(cast: Cast) -> None:
    client, counts = web(cast.ada), []
    for names in (("X1",), ("Y1", "Y2", "Y3", "Y4", "Y5")):
        for name in names:
            join(cast.workspace, name, Role.CSM)
        with CaptureQueriesContext(connection) as queries:
            client.get(POLICY)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20


# --- The provider's form ----------------------------------------------------------------------------------------


def form(book: Provider, **values: str) -> dict[str, str]:
    return {
        "name": "Okta",
        "issuer": book.issuer,
        "client_id": book.client_id,
        "client_secret": book.client_secret,
        "domains": "Example.com, @example.org",
        "newcomer_role": "csm",
        "is_enabled": "on",
        **values,
    }


def kept(cast: Cast) -> IdentityProvider | None:
    with workspace_scope(cast.workspace.pk):
        return IdentityProvider.objects.first()


def test_a_provider_is_saved_and_its_secret_never_shown(cast: Cast, provider: Provider) -> None:
    assert web(cast.ada).post(PROVIDER, form(provider)).status_code == 302
    row = kept(cast)
    assert row and row.domains == ["example.com", "example.org"] and row.authorize_origin == provider.issuer
    page = web(cast.ada).get(PROVIDER).content.decode()
    assert provider.client_secret not in page
    assert f"/oidc/{cast.workspace.public_id.hex}/login/callback/" in page
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.workspace', %s, false)", [str(cast.workspace.pk)])
        cursor.execute("SELECT client_secret FROM accounts_identityprovider")
        assert provider.client_secret not in cursor.fetchone()[0], "encrypted at rest"
    assert web(cast.ada).post(PROVIDER, form(provider, client_secret="")).status_code == 302
    row = kept(cast)
    assert row and row.client_secret == provider.client_secret, "empty keeps it"


def test_the_test_button_says_what_it_found_and_saves_nothing(cast: Cast, provider: Provider) -> None:
    page = web(cast.ada).post(PROVIDER, form(provider, test="1")).content.decode()
    assert "The connection works" in page
    assert kept(cast) is None
    provider.config = {"issuer": "https://other.example.com"}
    answer = web(cast.ada).post(PROVIDER, form(provider, test="1"))
    assert answer.status_code == 422 and "https://other.example.com" in answer.content.decode()


def test_a_provider_that_does_not_answer_is_not_switched_on(cast: Cast, provider: Provider) -> None:
    provider.config = {"jwks_uri": f"{provider.issuer}/nothing"}
    answer = web(cast.ada).post(PROVIDER, form(provider))
    assert answer.status_code == 422 and "Nothing was saved" in answer.content.decode()
    assert kept(cast) is None
    off = {name: value for name, value in form(provider).items() if name != "is_enabled"}
    assert web(cast.ada).post(PROVIDER, off).status_code == 302, "switched off it may be kept"


def test_the_old_secret_goes_to_no_new_address(cast: Cast, provider: Provider) -> None:
    trust(cast.workspace, provider)
    moved = form(provider, issuer="https://evil.example.com", client_secret="")
    answer = web(cast.ada).post(PROVIDER, moved)
    assert answer.status_code == 422 and "give its client secret" in answer.content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://login.example.com"},
        {"issuer": "https://user:pw@login.example.com"},
        {"issuer": "javascript:alert(1)"},
        {"issuer": "https://login.example.com/?x=1"},
        {"domains": "no domain"},
        {"domains": "", "joins": "on"},
        {"newcomer_role": "owner"},
        {"newcomer_role": "admin"},
        {"client_id": ""},
    ],
)
def test_wrong_input_is_named_and_nothing_is_kept(
    cast: Cast, provider: Provider, wrong: dict[str, str]
) -> None:
    answer = web(cast.ada).post(PROVIDER, form(provider, **wrong))
    assert answer.status_code == 422 and kept(cast) is None
    assert "Okta" in answer.content.decode(), "what was typed is still there"


def test_an_invitation_elsewhere_is_not_taken_by_a_vouched_session(cast: Cast, provider: Provider) -> None:
    trust(cast.workspace, provider, joins=True, domains=["example.com"])
    provider.person = {"sub": "n", "email": "nina@example.com", "email_verified": True}
    client, _ = sign_in(cast.workspace, provider)
    with workspace_scope(cast.other.pk):
        _, token = invitations.invite(
            email="nina@example.com", role=Role.OWNER, acting_user=cast.zoe, now=timezone.now()
        )
    answer = client.post(f"/invitations/{token}/", {})
    assert "Sign out and sign in" in answer.content.decode()
    assert [m.workspace.slug for m in User.objects.get(email="nina@example.com").memberships()] == ["acme"]


def test_a_member_of_two_workspaces_meets_each_rule(cast: Cast) -> None:
    with workspace_scope(cast.other.pk):
        add_member(user=cast.ada, role=Role.CSM, acting_user=cast.zoe)
    ask(cast, "everyone")
    client = web(cast.ada)
    assert client.get("/queue/").status_code == 302
    client.post("/workspaces/current/", {"workspace": cast.other.public_id})
    assert client.get("/queue/").status_code == 200
