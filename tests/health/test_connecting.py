"""The live sign: what arrives, and what is refused with its reason, within seconds and bounded."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiKey
from accounts.services.workspaces import create_api_key
from cs_platform.lib.scoping import workspace_scope
from health.models import IntakeRefusal
from health.services import intake_refusals
from tests.accounts.web import web
from tests.builders import make_account
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_refusals, "_SECONDS", 0.0)
    intake_refusals._last.clear()


@pytest.fixture
def key(cast: Cast) -> str:
    with workspace_scope(cast.workspace.pk):
        return str(create_api_key(workspace=cast.workspace, scope="write", acting_user=None)[1])


def send(key: str, body: Any, path: str = "/v1/track") -> int:
    header = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
    text = body if isinstance(body, str) else json.dumps(body)
    return (
        Client(headers={"Authorization": header})
        .post(path, text, content_type="application/json")
        .status_code
    )


def sign(cast: Cast) -> str:
    return web(cast.ada).get("/settings/connect/live/").content.decode()


def test_the_last_event_shows_with_its_account(cast: Cast, key: str) -> None:
    assert "Waiting for the first event" in sign(cast)
    with workspace_scope(cast.workspace.pk):
        make_account("Northwind")
    assert send(key, {"userId": "u", "event": "Signed In", "context": {"groupId": "northwind"}}) == 200
    assert send(key, {"userId": "u", "event": "Left Open", "context": {"groupId": "nobody-knows"}}) == 200
    html = sign(cast)
    assert "Signed In" in html and "Northwind" in html
    assert "no account “nobody-knows” yet" in html


def test_an_event_of_long_ago_is_a_sign_too(cast: Cast, key: str) -> None:
    with workspace_scope(cast.workspace.pk):
        make_account("Northwind")
    about = {"timestamp": "2025-01-01T00:00:00Z", "context": {"groupId": "northwind"}}
    body = {"userId": "u", "event": "Old", **about}
    assert send(key, body) == 200
    assert "1 event of an earlier time came in" in sign(cast)


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        ({"userId": "u"}, "/v1/track", "is missing or not a text"),
        ("{broken", "/v1/track", "The body cannot be read"),
        ({"batch": 5}, "/v1/batch", "must be a list"),
        ({"batch": [{"type": "track", "userId": "u"}] * 3}, "/v1/batch", "(3×)"),
    ],
)
def test_what_is_refused_shows_why(cast: Cast, key: str, body: Any, path: str, words: str) -> None:
    assert send(key, body, path) in (400, 422)
    html = sign(cast)
    assert "Refused" in html
    assert words in html


def test_a_wrong_key_is_told_to_the_workspace_that_it_names(cast: Cast, key: str) -> None:
    assert send(f"{key[:-6]}AAAAAA", {"userId": "u", "event": "x"}) == 401
    assert "the key is unknown, revoked or not a write key" in sign(cast)
    assert "unknown, revoked" not in web(cast.zoe).get("/settings/connect/live/").content.decode()
    assert send("nonsense", {"userId": "u", "event": "x"}) == 401


def test_no_content_of_a_refused_message_is_kept(cast: Cast, key: str) -> None:
    send(key, {"userId": "Zq7Marker", "properties": {"Zq7Marker": "Zq7Marker"}})
    with workspace_scope(cast.workspace.pk):
        assert "Zq7Marker" not in str(list(IntakeRefusal.objects.values()))


def test_the_list_of_refusals_stays_short(cast: Cast, key: str) -> None:
    for _ in range(intake_refusals.KEPT + 20):
        send(key, "{broken")
    with workspace_scope(cast.workspace.pk):
        assert IntakeRefusal.objects.count() <= intake_refusals.KEPT


def test_a_flood_of_bad_requests_writes_once_a_second(
    cast: Cast, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_refusals, "_SECONDS", 60.0)
    for _ in range(20):
        send(key, "{broken")
    with workspace_scope(cast.workspace.pk):
        assert IntakeRefusal.objects.count() == 1


def test_a_key_is_made_and_shown_once(cast: Cast) -> None:
    ada = web(cast.ada)
    html = ada.post("/settings/connect/").content.decode()
    with workspace_scope(cast.workspace.pk):
        made = ApiKey.objects.get(scope="write")
    secret = next(
        word for word in html.replace("<", " ").replace(">", " ").split() if word.startswith("write_")
    )
    assert html.count(secret) == 4, "the key, and each of the three examples"
    page = ada.get("/settings/connect/").content.decode()
    assert "YOUR_WRITE_KEY" in page and made.hint in page


def test_the_sign_asks_the_database_little(cast: Cast, key: str) -> None:
    for number in range(20):
        send(key, {"userId": "u", "event": f"E{number}", "context": {"groupId": "x"}})
    ada = web(cast.ada)
    sign(cast)
    with CaptureQueriesContext(connection) as captured:
        ada.get("/settings/connect/live/")
    assert len(captured) <= 16
