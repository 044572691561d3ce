"""Subscriptions: terms over time, ends, what is assumed and what is refused."""

import pytest

from accounts.models import Account, Plan, Subscription, SubscriptionChange
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.imports.files import counts, problems, utc

HEAD = "external_id,account,plan,mrr,currency,seats,billing_interval,started_at,ended_at\n"


@pytest.fixture(autouse=True)
def _accounts(bring):
    with workspace_scope(bring.workspace.pk):
        bring("accounts", "external_id\na\nb\n")
        yield


def test_a_subscription_with_its_first_terms(bring):
    text = HEAD + "s,a,Pro,29.85,EUR,5,annual,2024-01-15,\n"
    assert counts(bring("subscriptions", text)) == (1, 0, 0, 0)
    row = Subscription.objects.select_related("plan").get()
    assert (row.mrr_minor, row.currency, row.seats, row.billing_interval) == (2985, "EUR", 5, "year")
    assert (row.plan.name, row.status, row.renews_at) == ("Pro", "active", None)
    change = row.changes.get()
    assert (change.effective_at, change.known_at, change.mrr_minor) == (
        utc(2024, 1, 15),
        utc(2024, 1, 15),
        2985,
    )
    assert counts(bring("subscriptions", text)) == (0, 0, 1, 0)


def test_the_account_began_no_later_than_its_first_subscription(bring):
    bring("subscriptions", HEAD + "s,a,Pro,10,,,,2019-01-15,\n")
    assert Account.objects.get(external_id="a").created_at == utc(2019, 1, 15)
    bring("accounts", "external_id,created_at\nb,2022-01-01\n")
    bring("subscriptions", HEAD + "t,b,Pro,10,,,,2019-01-15,\n")
    assert Account.objects.get(external_id="b").created_at == utc(2022, 1, 1)


def test_other_terms_are_a_change_from_now_on(bring):
    bring("subscriptions", HEAD + "s,a,Pro,10,,5,,2024-01-15,\n")
    assert counts(bring("subscriptions", HEAD + "s,a,Team,12,,,,2024-01-15,\n")) == (0, 1, 0, 0)
    first, second = SubscriptionChange.objects.order_by("effective_at")
    assert (first.mrr_minor, second.mrr_minor, second.seats) == (1000, 1200, 5)
    assert second.effective_at == second.known_at > first.effective_at
    assert Subscription.objects.get().plan.name == "Team"
    assert counts(bring("subscriptions", HEAD + "s,a,Team,12,,,,2024-01-15,\n")) == (0, 0, 1, 0)


def test_a_history_with_its_own_dates(bring):
    head = "external_id,account,mrr,started_at,effective_at\n"
    text = head + "s,a,10,2024-01-01,2024-01-01\ns,a,15,2024-01-01,2024-06-01\ns,a,8,2024-01-01,2024-09-01\n"
    assert counts(bring("subscriptions", text)) == (1, 0, 2, 0)
    rows = SubscriptionChange.objects.order_by("effective_at").values_list("effective_at", "mrr_minor")
    assert list(rows) == [(utc(2024, 1, 1), 1000), (utc(2024, 6, 1), 1500), (utc(2024, 9, 1), 800)]
    assert Subscription.objects.get().mrr_minor == 800
    assert counts(bring("subscriptions", text)) == (0, 0, 3, 0)


def test_a_correction_of_what_is_over_is_no_change(bring):
    bring("subscriptions", HEAD + "s,a,Pro,10,,,,2024-01-15,2024-03-01\n")
    bring("subscriptions", HEAD + "s,a,Pro,11,,,,2024-01-15,2024-03-01\n")
    assert SubscriptionChange.objects.get().mrr_minor == 1100


def test_an_end(bring):
    bring("subscriptions", HEAD + "s,a,Pro,10,,,,2024-01-15,\n")
    head = "external_id,account,started_at,ended_at,ended_reason,ended_cause\n"
    bring("subscriptions", head + "s,a,2024-01-15,2024-05-01,pricing,\n")
    row = Subscription.objects.get()
    assert (row.status, row.ended_at, row.ended_reason, row.ended_cause) == (
        "canceled",
        utc(2024, 5, 1),
        "too_expensive",
        "unknown",
    )
    assert row.properties == {"ended_reason": "pricing"}


def test_contract_terms_are_read_and_kept(bring):
    text = "account,started_at,billing_interval,score,note,on\na,2024-01-01,Two year,1.5,x,true\nb,2024-01-01,Month-to-month,,,\n"
    bring("subscriptions", text)
    first, second = Subscription.objects.order_by("account")
    assert (first.billing_interval, first.term_months) == ("year", 24)
    assert first.properties == {"billing_interval": "Two year", "score": 1.5, "note": "x", "on": True}
    assert second.properties == {"billing_interval": "Month-to-month"}
    assert first.external_id.startswith("row-")
    assert counts(bring("subscriptions", text)) == (0, 0, 2, 0)


def test_what_cannot_be_is_refused(bring):
    bring("subscriptions", HEAD + "s,a,Pro,10,,,,2024-01-15,\n")
    text = HEAD + (
        "t,ghost,Pro,10,,,,2024-01-15,\n"
        "u,a,Pro,10,,,,2024-01-15,2023-12-31\n"
        "v,a,Pro,-1,,,,2024-01-15,\n"
        "w,a,Pro,10,dollars,,,2024-01-15,\n"
        "x,a,Pro,10,,,fortnightly,2024-01-15,\n"
        "y,a,Pro,10,,1.5,,2024-01-15,\n"
        "s,b,Pro,10,,,,2024-01-15,\n"
        "z,a,Pro,10,,,,,\n"
        "ok,b,Pro,10,,,,2024-01-15,\n"
    )
    outcome = bring("subscriptions", text)
    assert counts(outcome) == (1, 0, 0, 8)
    assert problems(outcome) == [
        (2, "account", "unknown_account"),
        (3, "ended_at", "ends_before_start"),
        (4, "mrr", "out_of_range"),
        (5, "currency", "not_a_currency"),
        (6, "billing_interval", "not_a_choice"),
        (7, "seats", "not_a_whole_number"),
        (8, "external_id", "other_account"),
        (9, "started_at", "missing"),
    ]
    assert all(str(refused.problem) for refused in outcome.refused)


def test_other_columns_are_added_to_the_properties(bring):
    bring("subscriptions", "external_id,account,started_at,score\ns,a,2024-01-01,1\n")
    bring("subscriptions", "external_id,account,started_at,note\ns,a,2024-01-01,x\n")
    assert Subscription.objects.get().properties == {"score": 1, "note": "x"}


def test_money_without_minor_units(bring):
    bring("subscriptions", HEAD + "s,a,Pro,50000,KRW,,,2024-01-15,\n")
    assert Subscription.objects.get().mrr_minor == 50_000


def test_plans_are_made_once(bring):
    bring("subscriptions", HEAD + "s,a,Pro,1,,,,2024-01-15,\nt,b,Pro,1,,,,2024-01-15,\n")
    assert Plan.objects.get().name == "Pro"
