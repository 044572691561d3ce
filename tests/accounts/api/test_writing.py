"""What is written: by the verbs of the imports, with the words of problems, and hostile input."""

import json

import pytest
from django.utils import timezone

from accounts.models import (
    Account,
    AccountTrait,
    Activity,
    Contact,
    Import,
    Invoice,
    MrrMovement,
    PaymentAttempt,
    PersonRequest,
    Subscription,
    SubscriptionChange,
    TraitDefinition,
)
from accounts.services.import_undo import undo_import
from cs_platform.lib.scoping import workspace_scope
from health.models import QueueEntry
from tests.api_world import Caller, api_key, make_world
from tests.builders import make_account, make_contact, queued

START = "2026-01-01T00:00:00Z"


@pytest.fixture
def call(client, cast):
    return Caller(client, api_key(cast.workspace)[1])


def test_a_subscription_gets_its_history_and_its_movements(call, cast):
    call("PUT", "/accounts/", {"external_id": "n"})
    terms = {"external_id": "s", "account": "n", "plan": "Pro", "currency": "KRW", "started_at": START}
    assert call("PUT", "/subscriptions/", terms | {"mrr_minor": 50_000}).json()["mrr_minor"] == 50_000
    raised = terms | {"mrr_minor": 70_000, "effective_at": "2026-06-01T00:00:00+09:00"}
    answer = call("PUT", "/subscriptions/", raised)
    assert (answer.status_code, answer.json()["mrr_minor"], answer.json()["plan"]) == (200, 70_000, "Pro")
    with workspace_scope(cast.workspace.pk):
        assert SubscriptionChange.objects.count() == 2
        assert list(MrrMovement.objects.order_by("occurred_at").values_list("kind", "amount_minor")) == [
            ("new", 50_000),
            ("expansion", 20_000),
        ]


def test_an_invoice_brings_its_attempts(call, cast):
    call("PUT", "/accounts/", {"external_id": "n"})
    body = {
        "external_id": "i",
        "account": "n",
        "amount_minor": 1234,
        "currency": "USD",
        "due_at": START,
        "attempts": 2,
        "last_error": "expired_card",
    }
    assert call("PUT", "/invoices/", body).json()["amount_minor"] == 1234
    with workspace_scope(cast.workspace.pk):
        assert PaymentAttempt.objects.count() == 2
        assert Invoice.objects.get().status == "open"


@pytest.mark.parametrize(
    ("path", "body", "field", "code"),
    [
        ("/contacts/", {"external_id": "c", "account": "nobody"}, "account", "unknown_account"),
        ("/accounts/", {"external_id": "a", "csm": "stranger@example.com"}, "csm", "unknown_csm"),
        ("/accounts/", {"external_id": "a", "domain": "n/a"}, "domain", "not_a_domain"),
        ("/accounts/", {"external_id": "a", "colour": "red"}, "colour", "extra_forbidden"),
        ("/accounts/", {"name": "No id"}, "external_id", "missing"),
        ("/accounts/", {"external_id": "  "}, "external_id", "missing"),
        (
            "/subscriptions/",
            {"external_id": "s", "account": "n", "started_at": START, "ended_at": "2025-01-01T00:00:00Z"},
            "ended_at",
            "ends_before_start",
        ),
        (
            "/tickets/",
            {"external_id": "t", "account": "n", "opened_at": START, "contact": "who"},
            "contact",
            "unknown_contact",
        ),
        ("/accounts/", {"external_id": "a", "traits": {"size": "big"}}, "traits.size", "other_type"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(call, cast, path, body, field, code):
    call("PUT", "/accounts/", {"external_id": "n", "traits": {"size": 5}})
    answer = call("PUT", path, body)
    assert answer.status_code == 422, answer.content
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == (field, code)
    with workspace_scope(cast.workspace.pk):
        assert Account.objects.count() == 1
        assert TraitDefinition.objects.get().kind == "number"
        assert AccountTrait.objects.get().value_number == 5


def test_what_is_left_out_stays(call, cast):
    call("PUT", "/accounts/", {"external_id": "n", "name": "Northwind", "industry": "Logistics"})
    answer = call("PUT", "/accounts/", {"external_id": "n", "csm": "ben@example.com"})
    assert (answer.json()["name"], answer.json()["csm"]) == ("Northwind", "ben@example.com")


def test_a_day_of_a_connector_gone_wrong_is_undone_as_one_act(call, cast):
    for number in range(3):
        assert call("PUT", "/accounts/", {"external_id": f"wrong-{number}"}).status_code == 201
    with workspace_scope(cast.workspace.pk):
        row = Import.objects.get()
        assert (row.status, row.rows_created, row.rows_read) == ("done", 3, 3)
        undo_import(source_import=row, acting_user=cast.ada, now=timezone.now())
        assert Account.objects.count() == 0
    assert call("PUT", "/accounts/", {"external_id": "right"}).status_code == 201
    with workspace_scope(cast.workspace.pk):
        assert Import.objects.filter(status="done").count() == 1


def test_acts_on_the_queue_reach_the_queue(call, cast):
    with workspace_scope(cast.workspace.pk):
        first, second = queued("First"), queued("Second")
    later = {"until": "2199-01-01"}
    assert call("POST", f"/queue/{first.public_id}/snooze/", later).status_code == 422
    assert call("POST", f"/queue/{first.public_id}/snooze/", {"until": "2020-01-01"}).status_code == 422
    assert call("POST", f"/queue/{first.public_id}/snooze/", {"until": "2101-01-01"}).status_code == 200
    assert call("POST", f"/queue/{second.public_id}/resolve/", {"result": "helped"}).status_code == 200
    assert call("GET", "/queue/").json()["results"] == []
    [row] = call("GET", "/queue/?snoozed=true").json()["results"]
    assert (row["account"], row["snoozed_until"]) == ("first", "2101-01-01")
    assert call("POST", f"/queue/{second.public_id}/resolve/", {"result": "helped"}).status_code == 404


def test_a_csm_is_assigned_at_once(call, cast):
    with workspace_scope(cast.workspace.pk):
        account = queued("Northwind")
    where = f"/accounts/{account.public_id}/csm/"
    assert call("PUT", where, {"csm": "Ben@example.com"}).json()["csm"] == "ben@example.com"
    with workspace_scope(cast.workspace.pk):
        assert QueueEntry.objects.get().csm_id == cast.ben.pk
    assert call("PUT", where, {"csm": "zoe@example.com"}).status_code == 422
    assert call("PUT", where, {"csm": None}).json()["csm"] is None


def test_a_touch_counts_as_contact_and_names_only_people_of_the_account(call, cast):
    with workspace_scope(cast.workspace.pk):
        make_contact(make_account(), external_id="mina")
        make_account("Other")
    touch = {"account": "northwind", "kind": "call", "occurred_at": START, "contact": "mina"}
    assert call("POST", "/activities/", touch).json()["is_touch"] is True
    assert call("POST", "/activities/", touch | {"account": "other"}).status_code == 422
    assert call("POST", "/activities/", touch | {"occurred_at": "2190-01-01T00:00:00Z"}).status_code == 422
    with workspace_scope(cast.workspace.pk):
        assert Activity.objects.get().author is None


def test_a_person_is_erased_once_however_often_it_is_asked(call, cast):
    with workspace_scope(cast.workspace.pk):
        contact = make_contact(make_account())
    answers = [call("POST", f"/contacts/{contact.public_id}/erasure/") for _ in range(2)]
    assert [a.status_code for a in answers] == [202, 202]
    with workspace_scope(cast.workspace.pk):
        assert PersonRequest.objects.get().contact_id == contact.pk


def test_lists_are_filtered(call, cast):
    with workspace_scope(cast.workspace.pk):
        segment = make_world()["segments"]
        make_world("Other")
        make_account("Alone", csm=cast.ben)
    for path, count in {
        "/accounts/?csm=ben@example.com": 1,
        "/accounts/?csm=none": 2,
        "/accounts/?band=red": 2,
        f"/accounts/?segment={segment.public_id}": 1,
        "/accounts/?as_of_since=2026-11-21": 0,
        "/contacts/?account=northwind": 1,
        "/contacts/?email=MINA@northwind.example": 1,
        "/contacts/?has_left=true": 0,
        "/tickets/?is_open=true&account=other": 1,
        "/invoices/?status=paid": 0,
        "/scores/?account=northwind&band=red&since=2026-11-01": 1,
        "/predictions/?as_of=2026-11-20": 2,
        "/risks/?is_open=true&severity=high&cause=gone_quiet": 2,
        "/queue/?cause=risk:gone_quiet": 2,
        "/queue/?csm=ben@example.com": 0,
        f"/queue/?segment={segment.public_id}": 1,
        f"/segments/{segment.public_id}/members/": 1,
        "/activities/?is_touch=true&kind=call": 2,
    }.items():
        assert len(call("GET", path).json()["results"]) == count, path


def test_a_score_shows_what_it_is_made_of(call, cast):
    with workspace_scope(cast.workspace.pk):
        make_world()
    [row] = call("GET", "/scores/?account=northwind").json()["results"]
    assert (row["score"], row["band"], row["version"]) == (38.0, "red", 1)
    assert {"metric", "points"} == set(row["contributions"][0])
    [entry] = call("GET", "/queue/").json()["results"]
    assert "19" in entry["causes"][0]["sentence"]
    [prediction] = call("GET", "/predictions/").json()["results"]
    assert prediction["reasons"][0]["effect"] == 0.8


BODY = {"external_id": "x", "name": "X"}
HOSTILE = {
    "nul": json.dumps(BODY | {"name": "a\x00b"}),
    "nul in a key": json.dumps(BODY | {"traits": {"a\x00b": 1}}),
    "nul in a value": json.dumps(BODY | {"traits": {"a": "b\x00"}}),
    "lone surrogate": '{"external_id": "x", "name": "\\ud800"}',
    "lone surrogate in a key": '{"external_id": "x", "traits": {"\\ud800": 1}}',
    "lone surrogate in a value": '{"external_id": "x", "traits": {"a": "\\udfff"}}',
    "NaN": '{"external_id": "x", "traits": {"a": NaN}}',
    "Infinity": '{"external_id": "x", "traits": {"a": -Infinity}}',
    "huge float": '{"external_id": "x", "traits": {"a": 1e999}}',
    "huge integer": '{"external_id": "x", "traits": {"a": ' + "9" * 400 + "}}",
    "integer of 5,000 digits": '{"external_id": "x", "traits": {"a": ' + "9" * 5000 + "}}",
    "nesting": '{"external_id": "x", "traits": ' + '{"a": ' * 200 + "1" + "}" * 200 + "}",
    "deep nesting": "[" * 100_000,
    "10,000 keys": json.dumps(BODY | {"traits": {f"k{n}": n for n in range(10_000)}}),
    "a list": "[]",
    "null": "null",
    "text": '"x"',
    "no JSON": "external_id=x",
    "nothing": "",
    "no UTF-8": b'{"external_id": "\xff\xfe"}',
    "year 1": json.dumps(BODY | {"created_at": "0001-01-01T00:00:00Z"}),
    "year 9999": json.dumps(BODY | {"created_at": "9999-12-31T23:59:59-12:00"}),
    "no zone": json.dumps(BODY | {"created_at": "2026-01-01T00:00:00"}),
    "a number for a date": json.dumps(BODY | {"created_at": 1}),
    "a date as text of digits": json.dumps(BODY | {"created_at": "1"}),
    "second 61": json.dumps(BODY | {"created_at": "2026-01-01T00:00:61Z"}),
    "long id": json.dumps(BODY | {"external_id": "x" * 201}),
    "a number for a name": json.dumps(BODY | {"name": 5}),
    "true for a name": json.dumps(BODY | {"name": True}),
}


def test_hostile_bodies_are_refused_and_leave_nothing(call, cast):
    for name, body in HOSTILE.items():
        answer = call("PUT", "/accounts/", body)
        assert answer.status_code in (400, 422), (name, answer.status_code)
        assert answer["Content-Type"] == "application/problem+json", name
    assert call("PUT", "/accounts/", json.dumps(BODY | {"name": "x" * 300_000})).status_code == 413
    with workspace_scope(cast.workspace.pk):
        assert not Account.objects.exists()
        assert not Contact.objects.exists()
        assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        "external_id=%00",
        "external_id=",
        "limit=99999999999999999999999999",
        "limit=-1",
        "limit=1.5",
        "limit=%D9%A1",
        "cursor=%00",
        "cursor=aWQ6OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
        "cursor=aWQ6LTE",
        "segment=1",
        "as_of_since=0001-01-01",
        "as_of_since=20261120",
        "as_of_since=1",
        "band=purple",
        "colour=red",
        "band=red&band=green",
        "external_id=" + "x" * 201,
    ],
)
def test_hostile_parameters_are_refused(call, query):
    answer = call("GET", f"/accounts/?{query}")
    assert answer.status_code == 422, answer.content
    assert answer["Content-Type"] == "application/problem+json"


def test_hostile_headers_are_refused(client):
    for value in (
        "Bearer",
        "Bearer \x00",
        "Bearer " + "x" * 5000,
        "Basic eDp5",
        "Bearer read_..",
        "Bearer é.é",
    ):
        answer = client.get("/api/v1/accounts/", headers={"Authorization": value})
        assert answer.status_code == 401, value


def test_other_addresses_answer_as_problems(call):
    for path in ("/nothing/", "/accounts/not-an-id/", "/", "/accounts"):
        answer = call("GET", path)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
