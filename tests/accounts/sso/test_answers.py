"""What the provider answers is believed only if it is meant for this attempt."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from tests.accounts.sso.conftest import begin, come_back, connect, is_in, is_out, sign_in
from tests.accounts.sso.provider import OTHER_KEY, Provider
from tests.conftest import Cast


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
