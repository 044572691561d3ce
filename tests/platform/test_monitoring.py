"""Health checks, metrics and the request log."""

import io
import json
import logging
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from cs_platform import logs
from cs_platform.embedded.valkey import Valkey
from cs_platform.monitoring import views

pytestmark = pytest.mark.django_db


def test_healthz_needs_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "ask_database", lambda: pytest.fail("asked the database"))
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_readyz_without_a_database_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(views, "ask_database", away)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["parts"]["database"] == "down"


def test_readyz_without_a_broker_is_degraded_but_ready(client: Client, valkey_server: Valkey) -> None:
    valkey_server.stop()
    try:
        response = client.get("/readyz")
    finally:
        valkey_server.start()
    assert response.status_code == 200
    assert response.json() == {"status": "degraded", "parts": response.json()["parts"] | {"broker": "down"}}
    assert client.get("/readyz").json()["parts"]["broker"] == "ok"


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Bearer ", "Basic x"])
def test_metrics_do_not_exist_for_strangers(client: Client, given: str | None) -> None:
    headers = {"Authorization": given} if given else {}
    assert client.get("/metrics", headers=headers).status_code == 404


def test_metrics_do_not_exist_without_a_token(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = None
    assert client.get("/metrics", headers={"Authorization": "Bearer None"}).status_code == 404


def test_metrics_count_by_pattern(client: Client) -> None:
    client.get("/healthz")
    response = client.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    text = response.content.decode()
    assert 'cs_http_requests_total{method="GET",route="healthz",status="200"}' in text
    assert text.endswith("# EOF\n")


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-12345678", True), ("short", False), ("with space 1", False)]
)
def test_request_id_is_the_proxys_only_when_plain(client: Client, given: str, kept: bool) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"]
    assert (answer == given) is kept


@pytest.fixture
def log_lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What would be written to standard error."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    config = logs.logging_config(level="INFO")
    formatter = dict(config["formatters"]["json"])
    handler.setFormatter(formatter.pop("()")(**formatter))
    handler.addFilter(logs.WithoutPath())
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [handler])
    monkeypatch.setattr(root, "level", logging.INFO)
    return stream


def test_a_request_is_logged_by_pattern_without_tokens_or_query(
    client: Client, log_lines: io.StringIO
) -> None:
    structlog.get_logger("cs_platform.request")
    client.get("/no-such-page/0123secret0123/?email=ann@example.com")
    text = log_lines.getvalue()
    assert "secret" not in text
    assert "example.com" not in text


def test_an_error_is_logged_without_the_row_it_quotes(log_lines: io.StringIO) -> None:
    try:
        raise ValueError("no such person: ann@example.com\nDETAIL: Key (email)=(ann@example.com) exists")
    except ValueError:
        logging.getLogger("some.part").exception("failed for %s", "bob@example.com")
    line = json.loads(log_lines.getvalue())
    assert line["event"] == "failed for <address>"
    assert line["error"] == "builtins.ValueError"
    assert line["error_message"] == "no such person: <address>"
    assert "DETAIL" not in log_lines.getvalue()
    assert line["at"]
