"""The test stack itself: the role of tests, flushing, the lazily started broker."""

import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.test import Client


@pytest.mark.django_db
def test_tests_run_as_the_application_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, session_user")
        assert cursor.fetchone() == ("cs_app", "cs_owner")
        with pytest.raises(Exception, match="permission denied"):
            cursor.execute("TRUNCATE django_session")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", [1, 2])
def test_transactional_tests_start_empty_but_keep_what_migrations_wrote(run: int) -> None:
    assert cache.get("left-over") is None
    cache.set("left-over", run)
    assert ContentType.objects.exists()


def test_network_is_out_of_reach() -> None:
    import socket

    with socket.socket() as outside, pytest.raises(RuntimeError, match="no network"):
        outside.connect(("192.0.2.1", 80))


@pytest.mark.django_db(transaction=True)
def test_a_superuser_is_refused() -> None:
    from django.core.exceptions import ImproperlyConfigured

    from cs_platform import database
    from tests.stack import STACK

    class Wrapper:
        alias = "powerful"
        closed = False

        def __init__(self, raw: "psycopg.Connection[tuple[object, ...]]") -> None:
            self.connection = raw

        def close(self) -> None:
            self.closed = True

    with STACK.postgres.connect() as raw:
        wrapper = Wrapper(raw)
        with pytest.raises(ImproperlyConfigured, match="superuser"):
            database.refuse_powerful_role(None, wrapper)  # type: ignore[arg-type]
        assert wrapper.closed


@pytest.mark.django_db
def test_broker_answers(valkey: object, client: Client) -> None:
    assert client.get("/readyz").json() == {
        "status": "ok",
        "parts": {"database": "ok", "broker": "ok", "nights": "ok"},
    }
