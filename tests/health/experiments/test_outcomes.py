"""What became of an account: settled once, when its window is over, from facts known by then."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.models import ExchangeRate, SubscriptionChange
from cs_platform.lib.shards import Shard
from health.models import Outcome, StopReason
from health.queries.base_rates import STAND_IN, base_rate
from health.services.experiments import draw
from health.services.outcomes import await_outcome, settle_outcomes
from tests.builders import make_account, make_subscription
from tests.health.experiments.builders import accounts, start

BEGAN = datetime(2026, 9, 1, 12, tzinfo=UTC)
ENDS = BEGAN + timedelta(days=30)
NIGHT = date(2026, 10, 2)
NOW = datetime(2026, 10, 2, 3, tzinfo=UTC)


def watched(**terms):
    """The outcome of one account, with a subscription of 100.00 a month since January."""
    number = Outcome.objects.count() + 1
    account = make_account(f"Account {number}", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    subscription = make_subscription(account, mrr_minor=10_000, **terms)
    change(subscription, account.created_at, 10_000)
    await_outcome(account_id=account.pk, source_type="test", source_id=number, window_days=30, now=BEGAN)
    return subscription


def change(subscription, at, mrr_minor, *, known_at=None, currency="USD"):
    SubscriptionChange.objects.create(
        subscription=subscription,
        effective_at=at,
        known_at=known_at or at,
        mrr_minor=mrr_minor,
        currency=currency,
    )


def settled(night=NIGHT):
    settle_outcomes(as_of=night, now=NOW)
    row = Outcome.objects.order_by("pk").last()
    return row.kind, row.arr_before_minor, row.arr_after_minor


def test_who_stays_with_the_same_is_retained(scope):
    watched()
    assert settled() == ("retained", 120_000, 120_000)


@pytest.mark.parametrize(
    ("ended_at", "kind"),
    [
        (BEGAN + timedelta(days=1), "churned"),
        (ENDS - timedelta(seconds=1), "churned"),
        (ENDS, "retained"),
        (ENDS + timedelta(hours=5), "retained"),
    ],
)
def test_the_window_is_half_open(scope, ended_at, kind):
    watched(ended_at=ended_at)
    assert settled()[0] == kind


@pytest.mark.parametrize(("mrr", "kind"), [(15_000, "expanded"), (5_000, "contracted"), (10_000, "retained")])
def test_what_they_pay_decides_the_rest(scope, mrr, kind):
    change(watched(), BEGAN + timedelta(days=10), mrr)
    assert settled() == (kind, 120_000, 12 * mrr)


def test_a_change_after_the_window_or_learnt_too_late_does_not_count(scope):
    subscription = watched()
    change(subscription, ENDS + timedelta(hours=1), 1)
    change(subscription, ENDS - timedelta(days=3), 2, known_at=NOW + timedelta(days=9))
    assert settled() == ("retained", 120_000, 120_000)


def test_a_change_before_the_start_is_the_start(scope):
    change(watched(), BEGAN, 20_000)
    assert settled() == ("retained", 240_000, 240_000)


def test_not_before_the_window_is_over_and_never_twice(scope):
    subscription = watched()
    assert settled(date(2026, 10, 1)) == ("", None, None)
    assert settled() == ("retained", 120_000, 120_000)
    change(subscription, BEGAN + timedelta(days=1), 1)
    assert settled() == ("retained", 120_000, 120_000)


def test_a_rate_of_exchange_is_no_expansion(scope):
    for day, rate in ((date(2026, 8, 1), "1.10"), (date(2026, 9, 15), "1.50")):
        ExchangeRate.objects.create(currency="EUR", on_date=day, rate=rate)
    subscription = watched(currency="EUR")
    SubscriptionChange.objects.update(currency="EUR")
    assert settled() == ("retained", 132_000, 132_000)
    assert Outcome.objects.get().currency == "USD"
    assert subscription.currency == "EUR"


def test_back_again_at_the_end_counts_as_there(scope):
    subscription = watched(ended_at=BEGAN + timedelta(days=3))
    again = make_subscription(
        subscription.account, external_id="again", mrr_minor=20_000, started_at=BEGAN + timedelta(days=20)
    )
    change(again, again.started_at, 20_000)
    assert settled() == ("expanded", 120_000, 240_000)


def test_shards_settle_each_their_own(scope):
    for _ in range(6):
        watched()
    counts = [settle_outcomes(as_of=NIGHT, now=NOW, shard=Shard(n, 3)) for n in range(3)]
    assert sum(counts) == 6
    assert settle_outcomes(as_of=NIGHT, now=NOW) == 0


def test_awaited_once_per_source(scope):
    account = make_account()
    for _ in range(2):
        await_outcome(account_id=account.pk, source_type="test", source_id=5, window_days=30, now=BEGAN)
    assert Outcome.objects.get().ends_at == ENDS


def test_the_database_refuses_a_verdict_before_its_time(scope):
    watched()
    with pytest.raises(IntegrityError), transaction.atomic():
        Outcome.objects.update(
            kind="retained", settled_at=ENDS - timedelta(days=1), arr_before_minor=0, arr_after_minor=0
        )


def test_a_complete_plan_stops_by_itself_when_the_last_window_is_over(scope):
    experiment = start(planned_accounts=100, now=BEGAN)
    ids = accounts(120)
    draw(experiment=experiment, account_ids=ids[:60], now=BEGAN)
    draw(experiment=experiment, account_ids=ids[60:], now=BEGAN + timedelta(days=5))
    settle_outcomes(as_of=NIGHT, now=NOW)
    experiment.refresh_from_db()
    assert experiment.is_running and Outcome.objects.filter(settled_at=None).count() == 40
    settle_outcomes(as_of=NIGHT + timedelta(days=6), now=NOW + timedelta(days=6))
    experiment.refresh_from_db()
    assert experiment.stop_reason == StopReason.COMPLETE


def test_a_plan_starts_from_what_happened_lately(scope):
    for number in range(40):
        watched(ended_at=BEGAN + timedelta(days=4) if number < 8 else None)
    found = base_rate(outcome="retained", window_days=30, now=NOW)
    assert (found.accounts, found.rate) == (40, 0.8)
    assert base_rate(outcome="expanded", window_days=30, now=NOW).rate == 0.02


def test_without_history_a_plan_says_that_it_assumes(scope):
    found = base_rate(outcome="retained", window_days=30, now=NOW)
    assert (found.accounts, found.rate) == (0, STAND_IN)
