"""Idempotency keys and limits: the same request once, and one caller never disturbs another."""

import hashlib
import time
import uuid
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, ApiAnswer, Note
from accounts.services.api_pace import Pace, Refusals
from accounts.services.retention import drop_answers
from cs_platform.lib.scoping import workspace_scope
from cs_platform.lib.signing import new_credential
from tests.api_world import Caller, api_key
from tests.builders import make_account, queued

NOTE = {"account": "northwind", "body": "They plan a second site."}


@pytest.fixture
def call(client, cast):
    with workspace_scope(cast.workspace.pk):
        make_account()
    return Caller(client, api_key(cast.workspace)[1])


def notes(cast):
    with workspace_scope(cast.workspace.pk):
        return Note.objects.count()


def test_the_same_request_has_one_effect_and_one_answer(call, cast):
    first = call("POST", "/notes/", NOTE, Idempotency_Key="a")
    again = call("POST", "/notes/", NOTE, Idempotency_Key="a")
    assert (first.status_code, notes(cast)) == (201, 1)
    assert (again.status_code, again.content) == (201, first.content)
    assert (first.headers.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert call("POST", "/notes/", NOTE, Idempotency_Key="b").status_code == 201
    assert notes(cast) == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/notes/", NOTE | {"body": "Something else"}),
        ("PUT", "/accounts/", {"external_id": "northwind"}),
    ],
)
def test_a_key_for_another_request_is_refused(call, cast, method, path, body):
    call("POST", "/notes/", NOTE, Idempotency_Key="a")
    answer = call(method, path, body, Idempotency_Key="a")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert notes(cast) == 1


def test_a_key_is_bound_to_the_address_too(call, cast):
    with workspace_scope(cast.workspace.pk):
        first, second = queued("First"), queued("Second")
    body = {"result": "helped"}
    assert call("POST", f"/queue/{first.public_id}/resolve/", body, Idempotency_Key="a").status_code == 200
    assert call("POST", f"/queue/{second.public_id}/resolve/", body, Idempotency_Key="a").status_code == 422


def test_keys_of_two_callers_do_not_meet(call, client, cast):
    call("POST", "/notes/", NOTE, Idempotency_Key="a")
    other = Caller(client, api_key(cast.workspace)[1])
    assert "Idempotency-Replayed" not in other("POST", "/notes/", NOTE, Idempotency_Key="a").headers
    assert notes(cast) == 2


def test_what_had_no_effect_may_be_tried_again(call, cast):
    contact = {"external_id": "c", "account": "later"}
    assert call("PUT", "/contacts/", contact, Idempotency_Key="a").status_code == 422
    with workspace_scope(cast.workspace.pk):
        make_account("Later")
    assert call("PUT", "/contacts/", contact, Idempotency_Key="a").status_code == 201


def test_an_answer_is_kept_for_a_day(call, cast):
    call("POST", "/notes/", NOTE, Idempotency_Key="a")
    with workspace_scope(cast.workspace.pk):
        ApiAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert "Idempotency-Replayed" not in call("POST", "/notes/", NOTE, Idempotency_Key="a").headers
    with workspace_scope(cast.workspace.pk):
        assert drop_answers(timezone.now() + timedelta(seconds=1), 100) == 1


def test_an_effect_that_is_rolled_back_leaves_no_answer(call, cast, monkeypatch):
    """A crash after the effect and before its commit: neither is there, and the next try does it."""

    def broken(*args, **kwargs):
        raise RuntimeError("the process dies here")

    monkeypatch.setattr("accounts.api.writing.keep_answer", broken)
    with pytest.raises(RuntimeError):
        call("POST", "/notes/", NOTE, Idempotency_Key="a")
    monkeypatch.undo()
    assert notes(cast) == 0
    assert call("POST", "/notes/", NOTE, Idempotency_Key="a").status_code == 201
    assert notes(cast) == 1


def test_a_second_request_while_the_first_runs_waits_for_nobody(client, cast):
    """Another connection holds what the first request holds until its transaction ends."""
    with workspace_scope(cast.workspace.pk):
        make_account()
    key, credential = api_key(cast.workspace)
    name = f"idempotency|{cast.workspace.pk}|{key.pk}|a"
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    parameters = {k: v for k, v in connection.get_connection_params().items() if k in _CONNECT}
    with psycopg.connect(**parameters) as first:
        first.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        answer = Caller(client, credential)("POST", "/notes/", NOTE, Idempotency_Key="a")
        assert (answer.status_code, answer.json()["code"]) == (409, "in_progress")
        assert answer["Retry-After"] == "1"
    assert Caller(client, credential)("POST", "/notes/", NOTE, Idempotency_Key="a").status_code == 201


_CONNECT = {"dbname", "user", "password", "host", "port"}


@pytest.mark.parametrize("name", ["", " ", "a b", "x" * 256, "ключ"])
def test_a_bad_idempotency_key_is_named(call, name):
    answer = call("POST", "/notes/", NOTE, Idempotency_Key=name)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_one_caller_at_ten_times_its_limit_disturbs_nobody(client, cast, settings):
    settings.API_REQUESTS_PER_MINUTE = 60
    greedy = Caller(client, api_key(cast.workspace, "read")[1])
    colleague = Caller(client, api_key(cast.workspace, "read")[1])
    neighbour = Caller(client, api_key(cast.other, "read")[1])
    statuses, calm, began = [], [], time.monotonic()
    for number in range(100):
        statuses.append(greedy("GET", "/contacts/").status_code)
        if number % 20 == 0:
            calm += [neighbour("GET", "/contacts/").status_code, colleague("GET", "/risks/").status_code]
    assert set(calm) == {200}
    assert 5 <= statuses.count(200) <= 6 + (time.monotonic() - began)
    assert statuses.count(200) + statuses.count(429) == 100


def test_a_refusal_says_when_to_come_back(client, cast, settings):
    settings.API_REQUESTS_PER_MINUTE = 24
    call = Caller(client, api_key(cast.workspace, "read")[1])
    first, second, third = (call("GET", "/contacts/") for _ in range(3))
    assert [a.status_code for a in (first, second, third)] == [200, 200, 429]
    assert [a["RateLimit-Remaining"] for a in (first, second, third)] == ["1", "0", "0"]
    assert third["Content-Type"] == "application/problem+json"
    assert 1 <= int(third["Retry-After"]) <= 3
    assert first["RateLimit-Policy"] == "2;w=5"


def test_who_comes_back_in_time_is_served(client, cast, settings):
    settings.API_REQUESTS_PER_MINUTE = 150
    call = Caller(client, api_key(cast.workspace, "read")[1])
    for _ in range(200):
        if (answer := call("GET", "/contacts/")).status_code == 429:
            break
    assert answer["Retry-After"] == "1"
    time.sleep(1)
    assert call("GET", "/contacts/").status_code == 200


def test_a_refused_caller_who_does_not_listen_costs_no_statement(client, cast, settings):
    settings.API_REQUESTS_PER_MINUTE = 6
    call = Caller(client, api_key(cast.workspace, "read")[1])
    assert [call("GET", "/contacts/").status_code for _ in range(2)] == [200, 429]
    with CaptureQueriesContext(connection) as asked:
        again = call("GET", "/contacts/")
    assert (again.status_code, again["RateLimit-Remaining"], len(asked)) == (429, "0", 0)


def test_what_is_remembered_ends_with_the_wait_and_is_bounded():
    now = [100.0]
    refusals = Refusals(lambda: now[0])
    one, other = (new_credential(uuid.uuid4()) for _ in range(2))
    refusals.remember(one, Pace(100, 10, 0, reset=10, next_in=2))
    now[0] = 101.5
    left = refusals.of(one)
    assert (left.wait, left.reset, refusals.of(other)) == (0.5, 8.5, None)
    now[0] = 102.0
    assert refusals.of(one) is None
    refusals.MOST = 3
    for _ in range(10):
        refusals.remember(new_credential(uuid.uuid4()), left)
    assert len(refusals._until) <= 3


def test_errors_say_where_the_limit_stands_too(call):
    for answer in (call("GET", "/contacts/?limit=0"), call("POST", "/notes/", {}), call("GET", "/accounts/")):
        assert int(answer["RateLimit-Limit"]) == 50


def test_writing_twice_changes_nothing_the_second_time(call, cast):
    body = {"external_id": "northwind", "name": "Northwind Traders", "traits": {"employees": 12}}
    answers = [call("PUT", "/accounts/", body) for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    with workspace_scope(cast.workspace.pk):
        assert Account.objects.get().name == "Northwind Traders"
