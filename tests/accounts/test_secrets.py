"""What is secret is not readable in the database, wherever it is looked for (check 53)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from accounts.models import (
    AccessLink,
    BillingConnection,
    IdentityProvider,
    MailProvider,
    WebhookEndpoint,
    WorkspaceSecret,
)
from accounts.services import invitations
from accounts.services.workspaces import create_api_key
from cs_platform.lib.encryption import EncryptedTextField
from cs_platform.lib.scoping import workspace_scope
from cs_platform.lib.signing import new_credential
from tests.conftest import Cast
from tests.stack import STACK

pytestmark = pytest.mark.django_db(transaction=True)


def encrypted_fields() -> set[str]:
    return {
        f"{model._meta.label_lower}.{field.attname}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedTextField)
    }


def plant(cast: Cast) -> tuple[dict[str, str], list[str]]:
    """A marked value in every encrypted field, and the secret halves of what is only hashed."""
    now = timezone.now()
    marks = {name: f"Zq7-{name.replace('.', '-')}-mark" for name in encrypted_fields()}
    with workspace_scope(cast.workspace.pk):
        IdentityProvider.objects.create(
            name="Okta", issuer="https://x", client_secret=marks["accounts.identityprovider.client_secret"]
        )
        MailProvider.objects.create(
            name="postmark", secret=marks["accounts.mailprovider.secret"], created_at=now
        )
        WorkspaceSecret.objects.create(name="zq7", secret=marks["accounts.workspacesecret.secret"])
        WebhookEndpoint.objects.create(
            url="https://example.com/",
            secret=marks["accounts.webhookendpoint.secret"],
            previous_secret=marks["accounts.webhookendpoint.previous_secret"],
        )
        BillingConnection.objects.create(
            api_key=marks["accounts.billingconnection.api_key"],
            webhook_secret=marks["accounts.billingconnection.webhook_secret"],
            previous_secret=marks["accounts.billingconnection.previous_secret"],
            connected_at=now,
        )
        key = create_api_key(workspace=cast.workspace, scope="write", acting_user=cast.ada)[1]
        link = new_credential(cast.workspace.public_id)
        AccessLink.objects.create(
            purpose="test", token_hash=link.digest, created_at=now, expires_at=now + timedelta(days=1)
        )
        invitations.invite(email="x@example.com", role="csm", acting_user=cast.ada, now=now)
    return marks, [key.secret, link.secret]


def everything() -> str:
    """Every row of every table as text, as a dump would hold it."""
    with STACK.postgres.connect() as superuser:
        tables = superuser.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        rows: list[Any] = []
        for (table,) in tables:
            rows += superuser.execute(f"SELECT t::text FROM {table} AS t").fetchall()
    return "\n".join(row[0] for row in rows)


def test_no_secret_is_readable_in_a_dump(cast: Cast) -> None:
    marks, hashed = plant(cast)
    text = everything()
    assert "x@example.com" in text, "the dump holds what is not secret"
    for name, mark in marks.items():
        assert mark not in text, name
    for secret in hashed:
        assert secret not in text


def test_every_encrypted_field_is_planted() -> None:
    """A new one is red here until `plant` writes it, too."""
    assert encrypted_fields() == {
        "accounts.billingconnection.api_key",
        "accounts.billingconnection.previous_secret",
        "accounts.billingconnection.webhook_secret",
        "accounts.identityprovider.client_secret",
        "accounts.mailprovider.secret",
        "accounts.webhookendpoint.previous_secret",
        "accounts.webhookendpoint.secret",
        "accounts.workspacesecret.secret",
    }
