"""Pages while the database is away: 503 and when to come back, never a stack trace; other errors stay 500."""

from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connections
from django.test import Client

from tests.builders import make_user
from tests.stack import STACK

SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def quiet_client() -> Client:
    return Client(raise_request_exception=False)


def test_a_page_without_a_database_is_503(transactional_db: None, quiet_client: Client) -> None:
    make_user("Ann")  # somebody who could sign in
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
    make_user("Ann")

    def fail(*args: Any) -> None:
        raise error

    monkeypatch.setattr("allauth.account.views.LoginView.get_context_data", fail)
    assert quiet_client.get("/login/").status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["ann@example.com", "nobody@example.com"])
def test_a_reset_without_a_mail_server_says_try_again(
    quiet_client: Client, settings: Any, address: str
) -> None:
    """The same for known and unknown addresses."""
    make_user("Ann")
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", 9
    response = quiet_client.post("/password/reset/", {"email": address})
    assert "Mail cannot be sent" in response.content.decode()
    assert (response.status_code, response["Retry-After"]) == (503, "5")
