"""Sign-in: guessing is slow, tells nothing, and a new password ends what was open."""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
import time_machine
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.conf import settings
from django.contrib.auth.hashers import get_hasher
from django.core import mail as outbox
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.builders import PASSWORD
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
WRONG = "wrong-horse-battery"


def try_login(email: str, password: str = WRONG, *, client: Client | None = None, ip: str = "192.0.2.1"):
    client = client or Client()
    return client.post("/login/", {"login": email, "password": password}, REMOTE_ADDR=ip)


def body(answer: object) -> str:
    """The page without what differs by chance or by what was typed."""
    text = answer.content.decode()  # type: ignore[attr-defined]
    return re.sub(r'(nonce|value|content|csrfmiddlewaretoken)="[^"]*"', "", text)


def is_in(client: Client) -> bool:
    return client.get("/queue/").status_code == 200


def test_signing_in_changes_the_session(cast: Cast) -> None:
    client = Client()
    client.get("/login/")
    client.session.save()
    before = client.session.session_key
    client.cookies[settings.SESSION_COOKIE_NAME] = before or "planted"
    try_login("ada@example.com", PASSWORD, client=client)
    assert is_in(client)
    assert client.session.session_key not in (before, "planted", None)


def test_known_and_unknown_addresses_look_alike(cast: Cast) -> None:
    known, unknown = try_login("ada@example.com"), try_login("nobody@example.com")
    assert known.status_code == unknown.status_code
    assert body(known) == body(unknown)


def test_guessing_one_address_is_stopped_from_any_machine(cast: Cast) -> None:
    answers = [try_login("ada@example.com", ip=f"192.0.2.{number}").status_code for number in range(11)]
    assert answers == [200] * 10 + [429]
    client = Client()
    assert try_login("ada@example.com", PASSWORD, client=client, ip="198.51.100.7").status_code == 429
    assert not is_in(client), "even the right password waits"
    other = Client()
    try_login("ben@example.com", PASSWORD, client=other, ip="198.51.100.7")
    assert is_in(other), "nobody else waits with them"


def test_the_wait_is_a_quarter_of_an_hour(cast: Cast) -> None:
    start = datetime(2026, 11, 22, 9, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        for _ in range(10):
            try_login("ada@example.com")
        clock.move_to(start + timedelta(minutes=14, seconds=59))
        assert try_login("ada@example.com", PASSWORD).status_code == 429
        clock.move_to(start + timedelta(minutes=15, seconds=1))
        client = Client()
        try_login("ada@example.com", PASSWORD, client=client)
        assert is_in(client)


def test_guessing_from_one_machine_is_stopped_for_any_address(cast: Cast) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 9, tzinfo=UTC), tick=False) as clock:
        for number in range(30):
            # Slower than the limit of all attempts, which is by the minute.
            clock.shift(timedelta(seconds=5))
            assert try_login(f"guess{number}@example.com").status_code == 200
        assert try_login("ada@example.com", PASSWORD).status_code == 429
        assert try_login("ada@example.com", PASSWORD, ip="192.0.2.2").status_code == 302


def test_unknown_addresses_are_stopped_alike(cast: Cast) -> None:
    answers = {}
    for email in ("ada@example.com", "nobody@example.com"):
        for number in range(11):
            answers[email] = try_login(email, ip=f"203.0.113.{number}")
    known, unknown = answers.values()
    assert known.status_code == unknown.status_code == 429
    assert body(known) == body(unknown)


def test_unknown_addresses_cost_as_much_as_known_ones(cast: Cast) -> None:
    """By structure, not by clock: one password is hashed for each, and the same queries are asked."""
    asked, hashed = [], []
    hasher = get_hasher("default")
    with mock.patch.object(type(hasher), "encode", autospec=True, side_effect=type(hasher).encode) as encode:
        for email in ("ada@example.com", "nobody@example.com"):
            encode.reset_mock()
            with CaptureQueriesContext(connection) as queries:
                try_login(email, ip="203.0.113.9" if email.startswith("ada") else "203.0.113.8")
            hashed.append(encode.call_count)
            asked.append(sorted(query["sql"].split(" ", 1)[0] for query in queries))
    assert hashed[0] == hashed[1] >= 1
    assert asked[0] == asked[1]


def test_limits_hold_without_redis(cast: Cast, settings: Any) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    answers = [try_login("ada@example.com", ip=f"192.0.2.{number}").status_code for number in range(11)]
    assert answers[-1] == 429


def test_limits_fail_closed_when_they_cannot_be_counted(cast: Cast) -> None:
    """A counter that cannot be locked is no reason to let a guess through."""
    client = Client()
    with mock.patch("allauth.core.internal.ratelimit.cache_lock", return_value=nullcontext(False)):
        assert try_login("ada@example.com", PASSWORD, client=client).status_code == 429
    assert not is_in(client)


def test_failures_are_counted_in_postgres(cast: Cast) -> None:
    assert "db.DatabaseCache" in settings.CACHES["default"]["BACKEND"]
    with CaptureQueriesContext(connection) as queries:
        try_login("ada@example.com")
    assert any("django_cache" in query["sql"] for query in queries)


def test_a_new_password_ends_the_other_sessions(cast: Cast) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        try_login("ada@example.com", PASSWORD, client=client)
        assert is_in(client)
    form = {"oldpassword": PASSWORD, "password1": "another-long-one", "password2": "another-long-one"}
    here.post("/password/change/", form)
    assert is_in(here)
    assert not is_in(there)


def test_signing_out_ends_the_session_at_once(cast: Cast) -> None:
    client, thief = Client(), Client()
    try_login("ada@example.com", PASSWORD, client=client)
    thief.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert is_in(thief)
    client.post("/logout/")
    assert not is_in(client)
    assert not is_in(thief), "a stolen cookie is worth nothing any more"


def with_factor(user: User) -> tuple[str, list[str]]:
    """The secret of an authenticator app, and recovery codes."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret, RecoveryCodes.activate(user).get_unused_codes()


def second_step(code: str) -> Client:
    client = Client()
    assert try_login("ada@example.com", PASSWORD, client=client).url.startswith("/2fa/authenticate/")
    assert not is_in(client), "the password alone is not enough"
    client.post("/2fa/authenticate/", {"code": code})
    return client


def test_codes_are_good_once(cast: Cast) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 9, tzinfo=UTC), tick=False):
        secret, recovery = with_factor(cast.ada)
        code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
        for fresh in (code, recovery[0], recovery[1]):
            assert is_in(second_step(fresh))
            assert not is_in(second_step(fresh)), "the same code again"


def test_guessing_codes_is_stopped(cast: Cast) -> None:
    _, recovery = with_factor(cast.ada)
    for number in range(10):
        second_step(f"{number:06d}")
    assert not is_in(second_step(recovery[0]))


def test_nobody_signs_up_unasked(cast: Cast) -> None:
    answer = Client().post("/signup/", {"email": "x@example.com", "password1": "another-long-one"})
    assert answer.status_code in (200, 404)
    assert not User.objects.filter(email="x@example.com").exists()


def test_a_dead_reset_link_says_what_to_do_and_a_live_one_works_once(cast: Cast) -> None:
    dead = Client().get("/password/reset/key/zz-bad-key/").content.decode()
    assert "This link is no longer valid" in dead and 'href="/password/reset/"' in dead
    client = Client()
    client.post("/password/reset/", {"email": cast.ada.email})
    link = re.search(r"http://[^/]+(/password/reset/key/\S+)", str(outbox.outbox[-1].body)).group(1)  # type: ignore[union-attr]
    page = client.get(link, follow=True)
    form = page.redirect_chain[-1][0]
    assert "Set a new password" in page.content.decode()
    short = client.post(form, {"password1": "short", "password2": "short"}).content.decode()
    assert "too short" in short and "Save the password" in short
    word = "a-new-long-sentence"
    done = client.post(form, {"password1": word, "password2": word}, follow=True)
    assert "Your password is changed" in done.content.decode()
    assert "no longer valid" in Client().get(link, follow=True).content.decode()
