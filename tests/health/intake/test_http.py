"""The intake over HTTP: calls, who may send, and how much."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, Job
from accounts.services.workspaces import create_api_key
from cs_platform.lib.scoping import workspace_scope
from health.api import intake
from health.intake.pace import Pace
from health.models import Event
from health.services import write_keys
from tests.conftest import Cast
from tests.health.intake.messages import events, track


class TestCalls:
    def test_one_event(self, cast: Cast, send: Any) -> None:
        answer = send("track", track(properties={"quantity": "2.5", "plan": "pro"}, context={"groupId": 42}))
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        (event,) = events(cast)
        assert (event.name, event.quantity, event.group_key) == ("Report Created", 2.5, "42")
        assert event.properties == {"quantity": "2.5", "plan": "pro"}
        assert event.occurred_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
        with workspace_scope(cast.workspace.pk):
            assert Job.objects.filter(kind="health.fold").count() == 1

    def test_pages_and_screens_are_events(self, cast: Cast, send: Any) -> None:
        send("page", {"userId": "u", "name": "Pricing", "timestamp": "2026-11-01"})
        send(
            "screen", {"anonymousId": "a", "properties": {"name": "Home"}, "timestamp": "2026-11-02T00:00:00"}
        )
        send("page", {"userId": "u", "timestamp": "2026-11-03T00:00:00+09:00"})
        assert [event.name for event in events(cast)] == ["page:Pricing", "screen:Home", "page"]
        assert [event.user_key for event in events(cast)] == ["u", "a", "u"]

    def test_the_time_is_the_clients_else_when_it_was_sent_else_now(self, cast: Cast, send: Any) -> None:
        sent = {"timestamp": "2026-11-03T00:00:00Z", "originalTimestamp": "2026-11-01T00:00:00Z"}
        bare = {key: value for key, value in track().items() if key != "timestamp"}
        batch = [
            bare | {"messageId": "a"} | sent,
            bare | {"messageId": "b", "originalTimestamp": "2026-11-01T00:00:00Z"},
            bare | {"messageId": "c", "sentAt": "2026-11-02T00:00:00Z"},
            bare | {"messageId": "d"},
        ]
        send("batch", {"batch": batch, "sentAt": "2026-11-04T00:00:00Z"})
        assert [event.occurred_at.day for event in events(cast)] == [1, 2, 3, 4]
        before = timezone.now()
        send("track", bare)
        assert before <= events(cast)[-1].occurred_at <= timezone.now()

    def test_a_batch_knows_its_duplicates(self, cast: Cast, send: Any) -> None:
        send("batch", {"batch": [track(1), track(2)]})
        answer = send("batch", {"batch": [track(1), track(2), track(3)]})
        assert answer.json() == {"success": True, "accepted": 3, "duplicates": 2, "rejected": []}
        assert len(events(cast)) == 3

    def test_gzip(self, cast: Cast, send: Any) -> None:
        data = gzip.compress(json.dumps({"batch": [track()]}).encode())
        assert send("batch", data, **{"content-encoding": "gzip"}).status_code == 200
        assert len(events(cast)) == 1

    def test_the_batchs_group_holds_for_its_messages(self, cast: Cast, send: Any) -> None:
        send("batch", {"context": {"groupId": "acme"}, "batch": [track(1), track(2, groupId="beta")]})
        assert [event.group_key for event in events(cast)] == ["acme", "beta"]


class TestKeys:
    @pytest.mark.parametrize("header", ["", "Basic", "Basic ???", "Basic 4pi6", "Bearer x"])
    def test_no_key_is_401(self, cast: Cast, client: Client, header: str) -> None:
        answer = client.post(
            "/v1/batch", b"{}", content_type="application/json", headers={"authorization": header}
        )
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Basic")

    @pytest.mark.parametrize("scope", ["read", "publish"])
    def test_a_key_of_another_scope_is_401(self, cast: Cast, send: Any, scope: str) -> None:
        with workspace_scope(cast.workspace.pk):
            other = str(create_api_key(workspace=cast.workspace, scope=scope, acting_user=None)[1])
        assert send("track", track(), with_key=other).status_code == 401
        assert send("track", track(), with_key=other.replace(scope, "write", 1)).status_code == 401

    def test_another_workspaces_secret_does_not_open_mine(self, cast: Cast, send: Any, key: str) -> None:
        with workspace_scope(cast.other.pk):
            zoes = str(create_api_key(workspace=cast.other, scope="write", acting_user=None)[1])
        forged = key.partition(".")[0] + "." + zoes.partition(".")[2]
        assert send("track", track(), with_key=forged).status_code == 401
        assert send("track", track(), with_key=zoes).status_code == 200
        assert not events(cast)
        with workspace_scope(cast.other.pk):
            assert Event.objects.count() == 1

    def test_revocation_holds_after_a_few_seconds(
        self, cast: Cast, send: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert send("track", track()).status_code == 200
        with workspace_scope(cast.workspace.pk):
            assert ApiKey.objects.get().last_used_on == timezone.now().date()
            ApiKey.objects.update(revoked_at=timezone.now())
        monkeypatch.setattr(write_keys, "SECONDS", 0)
        for digest, (workspace_id, until) in intake._keys.known.items():
            intake._keys.known[digest] = (workspace_id, until - 5)
        assert send("track", track()).status_code == 401


class TestPace:
    def test_too_many_events_are_429_and_only_for_that_workspace(
        self, cast: Cast, send: Any, settings: Any
    ) -> None:
        settings.INTAKE_EVENTS_PER_SECOND = 2
        assert send("batch", {"batch": [track(n) for n in range(4)]}).status_code == 200
        answer = send("batch", {"batch": [track(5)]})
        assert answer.status_code == 429
        assert int(answer["Retry-After"]) >= 1
        with workspace_scope(cast.other.pk):
            zoes = str(create_api_key(workspace=cast.other, scope="write", acting_user=None)[1])
        assert send("track", track(), with_key=zoes).status_code == 200

    def test_the_bucket_fills_again(self) -> None:
        pace = Pace(10)
        assert pace.wait(1, 20, now=0) == 0
        assert pace.wait(1, 5, now=0) == 1
        assert pace.wait(1, 20, now=0) == 2
        assert pace.wait(1, 5, now=0.5) == 0
        assert pace.wait(1, 500, now=10) == 0  # more than fits is let through once, and paid off
        assert pace.wait(1, 1, now=11) > 40
