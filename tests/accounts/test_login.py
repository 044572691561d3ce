"""Sign-in: guessing is slow, tells nothing, and a new password ends what was open."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
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
    for number in range(10):
        try_login("ada@example.com", ip=f"192.0.2.{number}")
    client = Client()
    answer = try_login("ada@example.com", PASSWORD, client=client, ip="198.51.100.7")
    assert answer.status_code == 429 or "Too many failed" in answer.content.decode()
    assert not is_in(client), "even the right password waits"
    other = Client()
    try_login("ben@example.com", PASSWORD, client=other, ip="198.51.100.7")
    assert is_in(other), "nobody else waits with them"


def test_guessing_from_one_machine_is_stopped_for_any_address(cast: Cast) -> None:
    for number in range(10):
        try_login(f"guess{number}@example.com")
    client = Client()
    try_login("ada@example.com", PASSWORD, client=client)
    assert not is_in(client)


def test_unknown_addresses_are_stopped_alike(cast: Cast) -> None:
    for email in ("ada@example.com", "nobody@example.com"):
        for number in range(6):
            answer = try_login(email, ip=f"203.0.113.{number}")
        if email.startswith("ada"):
            known = answer
    assert (known.status_code, body(known)) == (answer.status_code, body(answer))


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


def test_nobody_signs_up_unasked(cast: Cast) -> None:
    answer = Client().post("/signup/", {"email": "x@example.com", "password1": "another-long-one"})
    assert answer.status_code in (200, 404)
    assert not User.objects.filter(email="x@example.com").exists()
