"""Health checks, metrics and the request log."""

import io
import json
import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts.models import Job, Workspace
from cs_platform import logs
from cs_platform.embedded.valkey import Valkey
from cs_platform.lib.scoping import workspace_scope
from cs_platform.monitoring import nights, views
from health.models import NightRun, RunStatus
from tests.workbench.apps import KIND

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


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nights, "_answer", (float("-inf"), True))


def test_a_late_night_is_degraded_but_ready(client: Client, cast: Any, valkey: Any, no_memory: None) -> None:
    before = timezone.now() - timedelta(days=3)
    Workspace.objects.filter(pk=cast.workspace.pk).update(created_at=before)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["parts"]["nights"] == "late"


@pytest.mark.parametrize(
    ("days_ago", "late"),
    [(3, True), (2, True), (0, False), (-1, False)],
    ids=["3 days", "2 days", "today", "ahead"],
)
def test_a_night_is_late_when_its_date_is_missing(cast: Any, days_ago: int, late: bool) -> None:
    now = datetime(2026, 5, 20, 12, tzinfo=UTC)
    cast.workspace.created_at = now - timedelta(days=9)
    with workspace_scope(cast.workspace.pk):
        NightRun.objects.create(as_of=now.date() - timedelta(days=days_ago), status=RunStatus.DONE)
    assert nights.is_late(cast.workspace, now) is late


def test_before_its_hour_yesterdays_night_is_enough(cast: Any) -> None:
    now = datetime(2026, 5, 20, 4, 30, tzinfo=UTC)  # the night begins at 2 and may take three hours
    cast.workspace.created_at = now - timedelta(days=9)
    with workspace_scope(cast.workspace.pk):
        NightRun.objects.create(as_of=date(2026, 5, 19), status=RunStatus.DONE)
    assert not nights.is_late(cast.workspace, now)
    assert nights.is_late(cast.workspace, now + timedelta(hours=1))


def test_metrics_count_waiting_jobs(client: Client, cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        Job.objects.put(KIND, 1)
    text = client.get(
        "/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}
    ).content.decode()
    assert f'cs_jobs_due{{kind="{KIND}"}} 1.0' in text
    assert f'cs_jobs_parked{{kind="{KIND}"}} 0.0' in text


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
