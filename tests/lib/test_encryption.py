"""Secrets at rest: unreadable in the database, readable through a change of the key."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection

from accounts.models import WebhookEndpoint
from cs_platform.lib.encryption import UnreadableSecret, decrypt, encrypt
from cs_platform.lib.scoping import workspace_scope

PLANTED = "whsec_planted-value"


def stored(pk):
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_webhookendpoint WHERE id = %s", [pk])
        return cursor.fetchone()[0]


def test_the_database_never_sees_the_secret(scope):
    endpoint = WebhookEndpoint.objects.create(url="https://example.com/", secret=PLANTED)
    assert PLANTED not in stored(endpoint.pk)
    assert WebhookEndpoint.objects.get(pk=endpoint.pk).secret == PLANTED
    assert WebhookEndpoint.objects.get(pk=endpoint.pk).previous_secret == ""


def test_an_altered_or_foreign_secret_is_not_read():
    token = encrypt("x")
    with pytest.raises(UnreadableSecret):
        decrypt(token[:-4] + "AAAA")
    with pytest.raises(UnreadableSecret):
        decrypt(Fernet(Fernet.generate_key()).encrypt(b"x").decode())


def test_a_new_key_takes_over_without_downtime(cast, settings):
    with workspace_scope(cast.workspace.pk):
        endpoint = WebhookEndpoint.objects.create(url="https://example.com/", secret=PLANTED)
    before, old = stored_in(cast, endpoint), settings.FIELD_ENCRYPTION_KEY
    new = Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEY = f"{new},{old}"
    call_command("rotate_field_key", verbosity=0)
    assert stored_in(cast, endpoint) != before
    settings.FIELD_ENCRYPTION_KEY = new
    with workspace_scope(cast.workspace.pk):
        assert WebhookEndpoint.objects.get(pk=endpoint.pk).secret == PLANTED


def stored_in(cast, endpoint):
    with workspace_scope(cast.workspace.pk):
        return stored(endpoint.pk)
