"""The intake over HTTP: every documented answer, and nothing half-written behind any of them."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, AccountTrait, ApiKey, Contact, Job
from accounts.services.workspaces import create_api_key
from cs_platform.lib.scoping import workspace_scope
from health.api import intake
from health.intake.pace import Pace
from health.intake.rows import BadField
from health.models import AccountDay, Event, IntakeBatch, UserAlias, WaitingIdentity
from health.services import write_keys
from health.services.fold import fold_pending
from tests.conftest import Cast


@pytest.fixture
def key(cast: Cast) -> str:
    with workspace_scope(cast.workspace.pk):
        return str(create_api_key(workspace=cast.workspace, scope="write", acting_user=None)[1])


@pytest.fixture
def send(client: Client, key: str) -> Any:
    """`send(path, body)`: the answer; a body that is not bytes goes as JSON."""

    def post(path: str, body: Any, *, with_key: str = key, **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": basic(with_key), **headers}
        return client.post(f"/v1/{path}", data, content_type="application/json", headers=headers)

    return post


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:".encode()).decode()


def track(number: int = 0, **fields: Any) -> dict[str, Any]:
    moment = f"2026-11-0{number % 9 + 1}T10:00:00Z"
    known = {"type": "track", "event": "Report Created", "userId": "u1", "messageId": f"m{number}"}
    return {**known, "timestamp": moment, **fields}


def events(cast: Cast) -> list[Event]:
    with workspace_scope(cast.workspace.pk):
        return list(Event.objects.order_by("occurred_at"))


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


class TestIdentities:
    def test_identify_before_group_loses_nothing(self, cast: Cast, send: Any) -> None:
        traits = {
            "email": "Ann@Acme.test",
            "firstName": "Ann",
            "lastName": "Lee",
            "title": "CFO",
            "locale": "ko-KR",
            "seats": 3,
        }
        send("track", track())
        send("identify", {"userId": "u1", "traits": traits})
        with workspace_scope(cast.workspace.pk):
            assert (Contact.objects.count(), WaitingIdentity.objects.count()) == (0, 1)
        send("group", {"userId": "u1", "groupId": "acme", "traits": {"name": "Acme Inc", "plan": "pro"}})
        with workspace_scope(cast.workspace.pk):
            ann = Contact.objects.get()
            assert (ann.external_id, ann.email, ann.name, ann.role) == (
                "u1",
                "ann@acme.test",
                "Ann Lee",
                "CFO",
            )
            assert (ann.language, ann.traits, ann.account.name) == ("ko", {"seats": 3}, "Acme Inc")
            assert not WaitingIdentity.objects.exists()
            fold_pending()
            assert AccountDay.objects.get().active_contacts == 1
            assert Event.objects.get().contact_id == ann.pk

    def test_a_waiting_person_becomes_a_contact_when_the_account_comes_another_way(
        self, cast: Cast, send: Any
    ) -> None:
        send("identify", {"userId": "u1", "traits": {"company": {"id": "acme"}, "name": "Ann"}})
        with workspace_scope(cast.workspace.pk):
            Account.objects.create(external_id="acme", name="Acme", created_at=timezone.now())
            fold_pending()
            assert Contact.objects.get().name == "Ann"

    def test_identify_updates_and_keeps_what_it_does_not_say(self, cast: Cast, send: Any) -> None:
        send("group", {"userId": "u1", "groupId": "acme"})
        send("identify", {"userId": "u1", "traits": {"name": "Ann", "role": "admin", "a": 1}})
        send(
            "identify",
            {"userId": "u1", "context": {"groupId": "other"}, "traits": {"role": "billing", "b": 2}},
        )
        with workspace_scope(cast.workspace.pk):
            ann = Contact.objects.get()
            assert (ann.name, ann.role, ann.traits, ann.account.external_id) == (
                "Ann",
                "billing",
                {"a": 1, "b": 2},
                "acme",
            )

    def test_a_contact_known_by_mail_is_not_made_twice(self, cast: Cast, send: Any) -> None:
        with workspace_scope(cast.workspace.pk):
            acme = Account.objects.create(external_id="acme", name="Acme", created_at=timezone.now())
            Contact.objects.create(
                account=acme, external_id="crm-1", email="ann@acme.test", created_at=timezone.now()
            )
        send("identify", {"userId": "u1", "traits": {"email": "ann@acme.test", "name": "Ann"}})
        send("track", track())
        with workspace_scope(cast.workspace.pk):
            assert Contact.objects.get().name == "Ann"
            assert Event.objects.get().account_id == acme.pk

    def test_group_traits_are_typed_and_dated(self, cast: Cast, send: Any) -> None:
        for day, seats in ((1, 10), (5, 12), (5, 12)):
            traits = {
                "name": "Acme",
                "website": "https://www.Acme.test/x",
                "address": {"country": "KR"},
                "seats": seats,
                "beta": True,
                "signed": "2025-01-02",
                "tier": "gold",
                "skipped": [1],
            }
            send("group", {"groupId": "acme", "timestamp": f"2026-11-0{day}T00:00:00Z", "traits": traits})
        with workspace_scope(cast.workspace.pk):
            acme = Account.objects.get()
            assert (acme.domain, acme.country, acme.created_at.day) == ("acme.test", "KR", 1)
            rows = AccountTrait.objects.order_by("definition__key", "known_at")
            assert list(
                rows.values_list("definition__key", "definition__kind", "value_text", "value_number")
            ) == [
                ("beta", "boolean", "true", 1.0),
                ("seats", "number", "10", 10.0),
                ("seats", "number", "12", 12.0),
                ("signed", "date", "2025-01-02", 20090.0),
                ("tier", "text", "gold", None),
            ]

    def test_alias_remembers_the_other_key(self, cast: Cast, send: Any) -> None:
        send("group", {"userId": "u1", "groupId": "acme"})
        send("track", track(anonymousId="anon", userId=None))
        send("alias", {"previousId": "anon", "userId": "u1"})
        send("alias", {"previousId": "older", "userId": "anon"})
        send("alias", {"previousId": "u1", "userId": "older"})
        with workspace_scope(cast.workspace.pk):
            assert set(UserAlias.objects.values_list("key", "user_key")) == {("anon", "u1"), ("older", "u1")}
            fold_pending()
            assert Event.objects.get().contact_id == Contact.objects.get().pk


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
