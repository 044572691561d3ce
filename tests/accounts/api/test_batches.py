"""Batches: each row as by itself, and null empties what may be empty."""

import json

import pytest

from accounts.models import Account, AccountTrait, Contact, Import, Invoice, Subscription
from cs_platform.lib.scoping import workspace_scope
from tests.api_world import Caller, api_key
from tests.builders import make_account, make_contact

START = "2026-01-01T00:00:00Z"


@pytest.fixture
def call(client, cast):
    with workspace_scope(cast.workspace.pk):
        make_contact(make_account(), external_id="mina")
    return Caller(client, api_key(cast.workspace)[1])


def counts(answer):
    body = answer.json()
    return [body[name] for name in ("created", "updated", "unchanged", "refused")]


def codes(answer):
    return [row["errors"][0]["code"] if row["errors"] else "ok" for row in answer.json()["results"]]


def test_each_row_has_its_own_result(call, cast):
    rows = [
        {"external_id": "one", "account": "northwind", "email": "one@example.com"},
        {"external_id": "two", "account": "nobody"},
        {"external_id": "three", "account": "northwind", "email": "no address"},
        {"external_id": "one", "account": "northwind"},
        {"external_id": "mina", "account": "northwind", "name": "Somebody Else"},
        {"external_id": "four", "account": "northwind", "colour": "red"},
        5,
        {"account": "northwind"},
    ]
    answer = call("POST", "/contacts/batch/", {"rows": rows})
    assert answer.status_code == 200, answer.content
    assert counts(answer) == [1, 1, 0, 6]
    found = codes(answer)
    assert found[:2] == ["ok", "unknown_account"]
    assert found[3:6] == ["repeated", "ok", "extra_forbidden"]
    assert found[7] == "missing"
    assert [row["external_id"] for row in answer.json()["results"]][:3] == ["one", "two", "three"]
    with workspace_scope(cast.workspace.pk):
        assert Contact.objects.count() == 2
        assert Import.objects.get().rows_read == 2


def test_a_batch_is_as_its_rows_one_by_one(call, cast):
    again = call(
        "POST", "/accounts/batch/", {"rows": [{"external_id": "northwind", "name": "Northwind"}] * 1}
    )
    assert counts(again) == [0, 0, 1, 0]
    rows = [
        {"external_id": "a", "traits": {"size": 5}},
        {"external_id": "b", "traits": {"size": "big"}},
        {"external_id": "c", "csm": "stranger@example.com"},
        {"external_id": "d", "csm": "ben@example.com"},
    ]
    assert codes(call("POST", "/accounts/batch/", {"rows": rows})) == [
        "ok",
        "other_type",
        "unknown_csm",
        "ok",
    ]
    with workspace_scope(cast.workspace.pk):
        assert set(Account.objects.values_list("external_id", flat=True)) == {"northwind", "a", "d"}
        assert AccountTrait.objects.get().value_number == 5


def test_five_hundred_rows_are_one_request_with_one_effect(call, cast, django_assert_max_num_queries):
    rows = [
        {
            "external_id": f"i{number}",
            "account": "northwind",
            "amount_minor": 5,
            "currency": "USD",
            "due_at": START,
        }
        for number in range(500)
    ]
    with django_assert_max_num_queries(45):
        first = call("POST", "/invoices/batch/", {"rows": rows}, Idempotency_Key="a")
    assert counts(first) == [500, 0, 0, 0]
    again = call("POST", "/invoices/batch/", {"rows": rows}, Idempotency_Key="a")
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")
    assert call("POST", "/invoices/batch/", {"rows": [*rows, rows[0]]}).status_code == 422
    assert call("POST", "/invoices/batch/", {"rows": []}).status_code == 422
    assert call("POST", "/invoices/batch/", json.dumps({"rows": ["x" * 1_100_000]})).status_code == 413
    with workspace_scope(cast.workspace.pk):
        assert Invoice.objects.count() == 500


CLEARED = {
    "accounts": (
        {"domain": "n.example", "industry": "Logistics", "country": "KR", "csm": "ben@example.com"},
        {},
    ),
    "contacts": ({"email": "m@example.com", "name": "Mina", "role": "champion"}, {"account": "northwind"}),
    "subscriptions": (
        {"plan": "Pro", "seats": 5, "ended_at": START, "renews_at": START, "ended_reason": "unused"},
        {"account": "northwind", "started_at": "2025-01-01T00:00:00Z"},
    ),
    "tickets": (
        {"contact": "mina", "subject": "Slow", "closed_at": START, "satisfaction": 3.0},
        {"account": "northwind", "opened_at": START},
    ),
    "invoices": (
        {"subscription": "s", "paid_at": START, "attempts": 2, "last_error": "expired_card"},
        {"account": "northwind", "amount_minor": 5, "currency": "USD", "due_at": START},
    ),
}


@pytest.mark.parametrize("noun", CLEARED)
def test_null_empties_and_what_is_left_out_stays(call, cast, noun):
    call("PUT", "/subscriptions/", {"external_id": "s", "account": "northwind", "started_at": START})
    values, needed = CLEARED[noun]
    base = needed | {"external_id": "x"}
    full = call("PUT", f"/{noun}/", base | values).json()
    shown = {name: full[name] for name in values if name in full}
    assert shown == {name: _shown(value) for name, value in values.items() if name in full}
    same = call("PUT", f"/{noun}/", base).json()
    assert {name: same[name] for name in shown} == shown, "left out"
    empty = call("PUT", f"/{noun}/", base | dict.fromkeys(values)).json()
    assert not any(empty[name] for name in shown), empty


def _shown(value):
    return value


def test_a_subscription_that_goes_on_after_all(call, cast):
    base = {"external_id": "s", "account": "northwind", "started_at": "2025-01-01T00:00:00Z"}
    over = call("PUT", "/subscriptions/", base | {"ended_at": START, "ended_reason": "unused"}).json()
    assert (over["status"], over["ended_cause"]) == ("canceled", "unknown")
    on = call("PUT", "/subscriptions/", base | {"ended_at": None}).json()
    assert (on["status"], on["ended_at"], on["ended_reason"], on["ended_cause"]) == ("active", None, "", "")
    with workspace_scope(cast.workspace.pk):
        assert Subscription.objects.get().ended_at is None


def test_a_property_is_taken_away_by_null(call):
    body = {"external_id": "t", "account": "northwind", "opened_at": START}
    call("PUT", "/tickets/", body | {"properties": {"team": "A", "tier": 2}})
    answer = call("PUT", "/tickets/", body | {"properties": {"team": None, "new": 1}})
    assert answer.json()["properties"] == {"tier": 2, "new": 1}


@pytest.mark.parametrize(
    ("noun", "field"), [("accounts", "name"), ("subscriptions", "currency"), ("invoices", "status")]
)
def test_what_always_has_a_value_is_not_emptied(call, noun, field):
    base = CLEARED[noun][1] | {"external_id": "x", field: None}
    answer = call("PUT", f"/{noun}/", base)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
