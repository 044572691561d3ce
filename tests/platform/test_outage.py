"""Pages while the database is away: 503 and when to come back, never a stack trace; other errors stay 500."""

from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connections
from django.test import Client

from tests.stack import STACK


@pytest.fixture
def quiet_client() -> Client:
    return Client(raise_request_exception=False)


def test_a_page_without_a_database_is_503(transactional_db: None, quiet_client: Client) -> None:
    connections["default"].close()
    STACK.postgres.stop()
    try:
        response = quiet_client.get("/login/")
        ready = quiet_client.get("/readyz")
        alive = quiet_client.get("/healthz")
    finally:
        STACK.postgres.start()
        connections["default"].close()
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "Traceback" not in response.content.decode()
    assert (ready.status_code, alive.status_code) == (503, 200)
    assert quiet_client.get("/login/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "status"),
    [(OperationalError("gone"), 503), (psycopg.Error("odd"), 500), (ValueError("bug"), 500)],
)
def test_only_a_database_that_is_away_is_503(
    quiet_client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*args: Any) -> None:
        raise error

    monkeypatch.setattr("allauth.account.views.LoginView.get_context_data", fail)
    assert quiet_client.get("/login/").status_code == status
