"""Bad input over HTTP: every documented answer, and nothing half-written behind any of them."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from cs_platform.lib.scoping import workspace_scope
from health.intake.rows import BadField
from health.models import Event, IntakeBatch
from tests.conftest import Cast
from tests.health.intake.messages import events, track


def nested(levels: int) -> Any:
    return json.loads('{"a":' * levels + "1" + "}" * levels)


class TestBadInput:
    @pytest.mark.parametrize(
        ("body", "detail"),
        [
            (b"", "line 1, column 1"),
            (b'{"batch": [\n  {"type": }]}', "line 2, column 12"),
            (b"[]", "JSON object"),
            (b'"text"', "JSON object"),
            (b"\xff\xfe{}", "byte 0 is not UTF-8"),
        ],
    )
    def test_malformed_json_is_400_with_the_place(
        self, cast: Cast, send: Any, body: bytes, detail: str
    ) -> None:
        answer = send("batch", body)
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
        assert detail in answer.json()["detail"]

    @pytest.mark.parametrize(
        "body",
        [b"not gzip", gzip.compress(b'{"batch": []}')[:-9], gzip.compress(b'{"batch": []}') + b"more"],
        ids=["no gzip", "cut off", "trailing data"],
    )
    def test_broken_gzip_is_400(self, cast: Cast, send: Any, body: bytes) -> None:
        answer = send("batch", body, **{"content-encoding": "gzip"})
        assert answer.status_code == 400
        assert "gzip" in answer.json()["detail"]

    def test_other_encodings_are_400(self, cast: Cast, send: Any) -> None:
        assert send("batch", b"x", **{"content-encoding": "br"}).status_code == 400

    @pytest.mark.parametrize("way", ["plain", "gzip bomb"])
    def test_a_body_over_the_limit_is_413(self, cast: Cast, send: Any, way: str) -> None:
        body = json.dumps({"batch": [track(properties={"x": "y" * 2_000_000})]}).encode()
        if way == "gzip bomb":
            answer = send("batch", gzip.compress(body * 200), **{"content-encoding": "gzip"})
        else:
            answer = send("batch", body)
        assert answer.status_code == 413
        assert not events(cast)

    def test_an_event_over_its_limit_is_413_alone_and_rejected_in_a_batch(
        self, cast: Cast, send: Any
    ) -> None:
        large = track(1, properties={"x": "y" * 33_000})
        assert send("track", large).status_code == 413
        answer = send("batch", {"batch": [track(2), large]})
        assert answer.status_code == 200
        assert answer.json()["rejected"] == [{"index": 1, "field": "", "reason": "is larger than 32 KB"}]
        assert len(events(cast)) == 1

    def test_too_many_messages_are_413(self, cast: Cast, send: Any) -> None:
        assert send("batch", {"batch": [1] * 2_001}).status_code == 413

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"timestamp": "0001-01-01T00:00:00Z"}, "timestamp"),
            ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp"),
            ({"timestamp": "9999-12-31T23:59:59-12:00"}, "timestamp"),
            ({"timestamp": "2099-01-01T00:00:00Z"}, "timestamp"),
            ({"timestamp": 1700000000}, "timestamp"),
            ({"timestamp": "yesterday"}, "timestamp"),
            ({"event": ""}, "event"),
            ({"event": "x" * 201}, "event"),
            ({"event": None}, "event"),
            ({"event": "a\0b"}, "event"),
            ({"userId": "a\ud800"}, "userId"),
            ({"userId": True}, "userId"),
            ({"userId": None}, "userId"),
            ({"userId": "x" * 201}, "userId"),
            ({"messageId": {}}, "messageId"),
            ({"properties": []}, "properties"),
            ({"properties": {"a": "\0"}}, "properties"),
            ({"properties": {"quantity": "many"}}, "properties.quantity"),
            ({"properties": {"quantity": 1e13}}, "quantity"),
            ({"properties": nested(60)}, "properties"),
            ({"context": "x"}, "context"),
        ],
    )
    def test_a_bad_field_is_422_alone_and_rejected_in_a_batch(
        self, cast: Cast, send: Any, fields: dict[str, Any], field: str
    ) -> None:
        alone = send("track", track(1, **fields))
        assert alone.status_code == 422
        assert [row["field"] for row in alone.json()["errors"]] == [field]
        answer = send("batch", {"batch": [track(2), track(3, **fields), track(4)]})
        assert answer.status_code == 200
        assert [(row["index"], row["field"]) for row in answer.json()["rejected"]] == [(1, field)]
        assert len(events(cast)) == 2

    @pytest.mark.parametrize(
        "body",
        [
            b'{"batch": [{"type": "track", "event": "x", "userId": "u", "properties": {"a": NaN}}]}',
            b'{"batch": [{"type": "track", "event": "x", "userId": "u", "properties": {"a": 1e999}}]}',
            b'{"batch": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
            b'{"batch": [{"type": "track", "event": "x", "userId": "u", "properties": {"a": '
            + b"9" * 5_000
            + b"}}]}",
            b'{"batch": {}}',
            b"{}",
            b'{"batch": [1, null, "x", [], {"type": "delete"}]}',
        ],
        ids=["NaN", "infinity", "deep", "long number", "no list", "no batch", "no messages"],
    )
    def test_nothing_acceptable_is_422(self, cast: Cast, send: Any, body: bytes) -> None:
        answer = send("batch", body)
        assert answer.status_code == 422
        assert answer.json()["errors"]
        assert not events(cast)

    def test_ten_thousand_keys_are_an_event_like_others(self, cast: Cast, send: Any) -> None:
        assert send("track", track(properties={f"k{n}": 1 for n in range(3_000)})).status_code in (200, 413)

    def test_only_post(self, cast: Cast, client: Client) -> None:
        assert client.get("/v1/batch").status_code == 405

    def test_a_failure_in_the_middle_leaves_nothing(
        self, cast: Cast, send: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*args: Any, **kwargs: Any) -> None:
            raise BadField("x", "planted")

        monkeypatch.setattr("health.services.events.request_fold", broken)
        group = {"type": "group", "groupId": "acme", "timestamp": "2026-11-01"}
        with pytest.raises(BadField):
            send("batch", {"batch": [group, track()]})
        with workspace_scope(cast.workspace.pk):
            assert not Event.objects.exists()
            assert not IntakeBatch.objects.exists()
            assert not Account.objects.exists()
