"""Movements of MRR add up to the MRR at any time."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, MrrMovement, Subscription, SubscriptionChange
from accounts.services.movements import rebuild_movements
from tests.accounts.imports.files import utc
from tests.builders import make_account

DAY0 = utc(2024, 1, 1)


def at(day: int):
    return DAY0 + timedelta(days=day)


def subscribe(account, number, start, end, terms):
    """`terms`: [(day, mrr, currency)], the first from the start on."""
    row = Subscription.objects.create(
        account=account,
        external_id=f"s{number}",
        currency=terms[0][2],
        started_at=at(start),
        ended_at=None if end is None else at(end),
    )
    for day, mrr, currency in terms:
        SubscriptionChange.objects.create(
            subscription=row, effective_at=at(day), known_at=at(day), mrr_minor=mrr, currency=currency
        )
    return row


def kinds(account):
    rows = MrrMovement.objects.filter(account=account).order_by("occurred_at", "currency")
    return [(row.kind, row.currency, row.amount_minor, row.mrr_after_minor) for row in rows]


def test_the_five_kinds(scope):
    account = make_account()
    subscribe(account, 1, 0, 100, [(0, 1000, "USD"), (10, 1500, "USD"), (20, 900, "USD")])
    subscribe(account, 2, 200, None, [(200, 700, "USD")])
    assert rebuild_movements([account.pk]) == 5
    assert kinds(account) == [
        ("new", "USD", 1000, 1000),
        ("expansion", "USD", 500, 1500),
        ("contraction", "USD", -600, 900),
        ("churn", "USD", -900, 0),
        ("reactivation", "USD", 700, 700),
    ]


def test_a_second_subscription_is_expansion_and_a_swap_nothing(scope):
    account = make_account()
    subscribe(account, 1, 0, 50, [(0, 1000, "USD")])
    subscribe(account, 2, 50, None, [(50, 1000, "USD")])
    subscribe(account, 3, 60, None, [(60, 10, "USD")])
    subscribe(account, 4, 61, None, [(61, 0, "USD")])
    rebuild_movements([account.pk])
    assert kinds(account) == [("new", "USD", 1000, 1000), ("expansion", "USD", 10, 1010)]


def test_another_currency_is_churn_here_and_new_there(scope):
    account = make_account()
    subscribe(account, 1, 0, None, [(0, 1000, "USD"), (30, 900, "EUR")])
    rebuild_movements([account.pk])
    assert kinds(account) == [
        ("new", "USD", 1000, 1000),
        ("new", "EUR", 900, 900),
        ("churn", "USD", -1000, 0),
    ]


def test_other_accounts_are_left_alone(scope):
    first, second = make_account("One"), make_account("Two")
    subscribe(first, 1, 0, None, [(0, 1000, "USD")])
    subscribe(second, 2, 0, None, [(0, 1000, "USD")])
    rebuild_movements([first.pk])
    assert not kinds(second)
    rebuild_movements([first.pk, second.pk])
    assert len(kinds(first)) == len(kinds(second)) == 1


TERMS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 500), st.sampled_from(["USD", "EUR"])),
    min_size=1,
    max_size=4,
)
SUBSCRIPTIONS = st.lists(
    st.tuples(st.integers(0, 30), st.none() | st.integers(0, 60), TERMS), min_size=1, max_size=5
)


@pytest.mark.usefixtures("scope")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SUBSCRIPTIONS, st.integers(0, 100))
def test_movements_sum_to_the_mrr_at_any_time(drawn, day):
    Subscription.objects.all().delete()
    account = Account.objects.filter(external_id="drawn").first() or make_account("Drawn")
    expected = {"USD": 0, "EUR": 0}
    for number, (start, length, terms) in enumerate(drawn):
        by_day = sorted({start + offset: (mrr, currency) for offset, mrr, currency in terms}.items())
        history = [(start, *by_day[0][1]), *((d, *t) for d, t in by_day if d > start)]
        end = None if length is None else start + length
        subscribe(account, number, start, end, history)
        if start <= day and (end is None or day < end):
            _, mrr, currency = [term for term in history if term[0] <= day][-1]
            expected[currency] += mrr
    rebuild_movements([account.pk])
    rows = list(MrrMovement.objects.filter(account=account, occurred_at__lte=at(day)))
    assert {c: sum(r.amount_minor for r in rows if r.currency == c) for c in expected} == expected
    assert all(row.amount_minor and row.mrr_after_minor >= 0 for row in rows)
