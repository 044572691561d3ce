"""API keys: seen once, stored as a hash, refused from the moment they are revoked."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client

from accounts.models import ApiKey, AuditEntry
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.web import web
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def make(cast: Cast, scope: str = "read") -> str:
    page = web(cast.ada).post("/settings/keys/", {"name": "website", "scope": scope}).content.decode()
    found = re.search(rf"<code>({scope}_[^<]+)</code>", page)
    assert found
    return found[1]


def ask(secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    return Client().get("/api/v1/accounts/", headers=headers).status_code


def test_the_secret_is_shown_once(cast: Cast) -> None:
    credential = make(cast)
    secret = credential.rpartition(".")[2]
    page = web(cast.ada).get("/settings/keys/").content.decode()
    assert secret not in page
    assert secret[:4] in page
    assert "website" in page


def test_only_a_hash_is_stored_anywhere(cast: Cast) -> None:
    secret = make(cast).rpartition(".")[2]
    with workspace_scope(cast.workspace.pk), connection.cursor() as cursor:
        for table in ("accounts_apikey", "accounts_auditentry", "accounts_job", "accounts_outboundemail"):
            cursor.execute(f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE %s", [f"%{secret}%"])
            assert cursor.fetchone() == (0,), table
        assert len(bytes(ApiKey.objects.get().secret_hash)) == 32


def test_a_revoked_key_is_refused_at_once(cast: Cast) -> None:
    secret = make(cast)
    assert ask(secret) == 200
    with workspace_scope(cast.workspace.pk):
        key = ApiKey.objects.get()
    ada = web(cast.ada)
    assert (
        "no longer works"
        in ada.post(f"/settings/keys/{key.public_id}/revocation/", follow=True).content.decode()
    )
    assert ask(secret) == 401
    assert "Revoked" in ada.get("/settings/keys/").content.decode()
    with workspace_scope(cast.workspace.pk):
        actions = list(
            AuditEntry.objects.filter(action__startswith="accounts.api_key").values_list("action", flat=True)
        )
    assert sorted(actions) == ["accounts.api_key.created", "accounts.api_key.revoked"]


def test_the_message_says_how_long_events_still_come_in(cast: Cast) -> None:
    """The intake remembers a write key for five seconds; see health/services/write_keys.py."""
    make(cast, "write")
    with workspace_scope(cast.workspace.pk):
        key = ApiKey.objects.get()
    answer = web(cast.ada).post(f"/settings/keys/{key.public_id}/revocation/", follow=True)
    assert "within five seconds" in answer.content.decode()


def test_a_key_without_name_or_scope_is_refused(cast: Cast) -> None:
    answer = web(cast.ada).post("/settings/keys/", {"name": "", "scope": "everything"})
    assert answer.status_code == 422
    with workspace_scope(cast.workspace.pk):
        assert not ApiKey.objects.exists()


def test_only_those_who_manage_settings(cast: Cast) -> None:
    for member in (cast.ben, cast.vera):
        assert web(member.user).get("/settings/keys/").status_code == 403
        assert web(member.user).post("/settings/keys/", {"name": "x", "scope": "read"}).status_code == 403
