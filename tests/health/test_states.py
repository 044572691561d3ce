"""States: what the lists show, from the rows of one day."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, ExchangeRate, Job, Plan, SubscriptionChange, Workspace
from accounts.registry import job_kinds
from accounts.signals import account_changed, contact_changed
from cs_platform.lib.periods import day_start
from cs_platform.lib.scoping import workspace_scope
from cs_platform.lib.shards import Shard
from health.models import (
    AccountDay,
    AccountState,
    ChurnPrediction,
    HealthScore,
    ModelVersion,
    Scorecard,
    ScorecardVersion,
    SearchToken,
)
from health.queries.search import find_accounts, find_contacts
from health.services.snapshots import take_snapshots
from health.services.states import refresh_accounts, refresh_states, unpriced_subscriptions
from tests.builders import join, make_account, make_contact, make_subscription, make_workspace
from tests.health.messy import AS_OF

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(time_zone="Asia/Seoul")


@pytest.fixture(autouse=True)
def scope(workspace: Workspace) -> Any:
    with workspace_scope(workspace.pk):
        yield


def now(workspace: Workspace) -> Any:
    return day_start(AS_OF, workspace.zone)


def state(account: Account) -> AccountState:
    refresh_states(as_of=AS_OF)
    return AccountState.objects.get(account=account)


def score(account: Account, back: int, value: float | None) -> HealthScore:
    version = ScorecardVersion.objects.order_by("pk").first()
    if version is None:
        card = Scorecard.objects.create(name="All")
        version = ScorecardVersion.objects.create(
            scorecard=card, number=1, definition={}, published_at=timezone.now()
        )
    return HealthScore.objects.create(
        account=account,
        as_of=AS_OF - back * DAY,
        version=version,
        score=value,
        band="" if value is None else "red",
        coverage=0.5,
        contributions=[],
    )


def predict(account: Account, probability: float | None, *, live: bool = True) -> None:
    version, _ = ModelVersion.objects.get_or_create(
        number=1 if live else 2,
        defaults={
            "horizon_days": 90,
            "trained_as_of": AS_OF,
            "record": {},
            "is_eligible": True,
            "live_from": timezone.now() if live else None,
        },
    )
    ChurnPrediction.objects.create(account=account, as_of=AS_OF, version=version, probability=probability)


def test_expected_loss_is_probability_times_arr_times_urgency(workspace: Workspace) -> None:
    account = make_account(created_at=now(workspace) - 400 * DAY)
    make_subscription(account, mrr_minor=100_000, renews_at=now(workspace) + 45 * DAY)
    score(account, 0, 38.0)
    predict(account, 0.62)
    predict(account, 0.99, live=False)
    found = state(account)
    assert (found.arr_minor, found.urgency, found.churn_probability) == (1_200_000, 1.5, 0.62)
    assert found.expected_loss_minor == round(0.62 * 1_200_000 * 1.5)


@pytest.mark.parametrize(
    ("days", "urgency"), [(0.5, 1 + 1 - 0.5 / 90), (45, 1.5), (90, 1.0), (400, 1.0), (None, None)]
)
def test_urgency_lies_between_one_and_two(
    workspace: Workspace, days: float | None, urgency: float | None
) -> None:
    renews_at = None if days is None else now(workspace) + days * DAY
    account = make_account(created_at=now(workspace) - 400 * DAY)
    make_subscription(account, renews_at=renews_at)
    found = state(account)
    assert 1 <= found.urgency <= 2
    if urgency:
        assert found.urgency == pytest.approx(urgency)


def test_the_score_stands_in_for_a_missing_probability(workspace: Workspace) -> None:
    account = make_account(created_at=now(workspace) - 400 * DAY)
    make_subscription(account, mrr_minor=100_000, renews_at=now(workspace) + 400 * DAY)
    score(account, 0, 25.0)
    predict(account, None)
    found = state(account)
    assert found.churn_probability is None
    assert found.expected_loss_minor == round(0.75 * 1_200_000)
    assert (found.health_score, found.health_band, found.coverage) == (25.0, "red", 0.5)


def test_nothing_known_is_no_loss(workspace: Workspace) -> None:
    account = make_account()
    found = state(account)
    assert (found.is_customer, found.expected_loss_minor, found.health_score, found.health_band) == (
        False,
        0,
        None,
        "",
    )
    assert (found.plan, found.sparkline, found.last_seen_on, found.events_total) == ("", [], None, 0)


def test_arr_comes_in_the_report_currency_by_the_last_rate_before_the_day(workspace: Workspace) -> None:
    ExchangeRate.objects.create(currency="KRW", on_date=AS_OF - 30 * DAY, rate=Decimal("0.001"))
    ExchangeRate.objects.create(currency="KRW", on_date=AS_OF - DAY, rate=Decimal("0.0005"))
    ExchangeRate.objects.create(currency="KRW", on_date=AS_OF, rate=Decimal("7"))
    account = make_account(created_at=now(workspace) - 400 * DAY)
    make_subscription(account, mrr_minor=1_000_000, currency="KRW")  # a won has no hundredths
    found = state(account)
    assert (found.arr_minor, found.currency) == (12 * 500 * 100, "USD")


def test_a_currency_without_a_rate_counts_nothing_and_is_reported(workspace: Workspace) -> None:
    account = make_account(created_at=now(workspace) - 400 * DAY)
    make_subscription(account, mrr_minor=1_000_000, currency="CHF")
    assert state(account).arr_minor == 0
    assert unpriced_subscriptions(as_of=AS_OF) == {"CHF": 1}


def test_trials_are_worth_their_list_price(workspace: Workspace) -> None:
    plan = Plan.objects.create(name="Seats", list_mrr_minor=1_000, currency="USD", is_per_seat=True)
    trial, paying = (make_account(name, created_at=now(workspace) - 9 * DAY) for name in ("Trial", "Paying"))
    for account, mrr in ((trial, 0), (paying, 50_000)):
        make_subscription(account, plan=plan, mrr_minor=mrr, seats=7, renews_at=now(workspace) + 400 * DAY)
        score(account, 0, 50.0)
    refresh_states(as_of=AS_OF)
    free, paid = (AccountState.objects.get(account=account) for account in (trial, paying))
    assert (free.arr_minor, free.list_arr_minor, free.expected_loss_minor) == (0, 84_000, 42_000)
    assert (paid.arr_minor, paid.list_arr_minor, paid.expected_loss_minor) == (600_000, 0, 300_000)


def test_terms_are_those_known_on_the_day(workspace: Workspace) -> None:
    account = make_account(created_at=now(workspace) - 400 * DAY)
    small, large = (Plan.objects.create(name=name) for name in ("Small", "Large"))
    subscription = make_subscription(account, plan=large, mrr_minor=900_000)
    for plan, mrr, back in ((small, 100_000, 300), (large, 900_000, -5)):
        at = now(workspace) - back * DAY
        SubscriptionChange.objects.create(
            subscription=subscription,
            effective_at=at,
            known_at=at,
            plan=plan,
            mrr_minor=mrr,
            currency="USD",
            billing_interval="month",
        )
    found = state(account)
    assert (found.plan, found.arr_minor) == ("Small", 1_200_000)


def test_an_ended_subscription_is_no_customer_and_has_no_renewal(workspace: Workspace) -> None:
    account = make_account(created_at=now(workspace) - 400 * DAY)
    make_subscription(account, ended_at=now(workspace) - DAY)
    found = state(account)
    assert (found.is_customer, found.arr_minor, found.renews_at, found.plan) == (False, 0, None, "")
    assert found.started_at == account.created_at


def test_sparkline_is_weekly_and_change_is_against_28_days_before(workspace: Workspace) -> None:
    account, other = make_account("One"), make_account("Two")
    for back, value in ((0, 40.0), (7, 50.0), (9, 99.0), (21, None), (28, 70.0)):
        score(account, back, value)
    score(other, 14, 10.0)
    refresh_states(as_of=AS_OF)
    found = AccountState.objects.get(account=account)
    assert found.sparkline == [70.0, None, None, 50.0, 40.0]
    assert found.health_change == -30.0
    assert AccountState.objects.get(account=other).health_change is None


def test_usage_columns(workspace: Workspace) -> None:
    account = make_account()
    for back, events in ((90, 5), (60, 7), (-1, 2)):
        AccountDay.objects.create(
            account=account,
            day=AS_OF - back * DAY,
            events=events,
            quantity=events,
            active_contacts=1,
            distinct_names=1,
        )
    take_snapshots(as_of=AS_OF)
    found = state(account)
    assert (found.last_seen_on, found.events_total) == (AS_OF - 60 * DAY, 14)


def test_repeating_and_sharding_change_nothing(workspace: Workspace) -> None:
    for number in range(7):
        account = make_account(f"Account {number}", created_at=now(workspace) - 99 * DAY)
        make_subscription(account)
        score(account, 0, 10.0 * number)
    assert refresh_states(as_of=AS_OF) == 7
    first = list(AccountState.objects.order_by("account_id").values())
    tokens = sorted(SearchToken.objects.values_list("token", "account_id"))
    for index in range(3):
        refresh_states(as_of=AS_OF, shard=Shard(index, 3))
    assert list(AccountState.objects.order_by("account_id").values()) == first
    assert sorted(SearchToken.objects.values_list("token", "account_id")) == tokens


def test_words_follow_names_and_people(workspace: Workspace) -> None:
    account = make_account("Brindle-Moor Ærøskøbing 가람물류", domain="brindle.example")
    person = make_contact(account, "Zoë Kim", email="Zoe.Kim@brindle.example")
    refresh_states(as_of=AS_OF)
    for typed in ("brindle-m", "moor", "ærøs", "가람", "BRINDLE.EX", "brindle ærø"):
        assert [hit.label for hit in find_accounts(typed)] == [account.name], typed
    for typed in ("zoë", "zoe.kim@", "kim"):
        assert [hit.label for hit in find_contacts(typed)] == ["Zoë Kim"], typed
    person.name, account.name = "Somebody Else", "Renamed"
    person.save()
    account.save()
    assert refresh_accounts([account.pk]) == 1
    assert not find_contacts("zoë")
    assert [hit.label for hit in find_accounts("renamed")] == ["Renamed"]
    assert AccountState.objects.get(account=account).name == "Renamed"


def test_unchanged_words_are_left_alone(workspace: Workspace) -> None:
    make_contact(make_account("One"))
    refresh_states(as_of=AS_OF)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        refresh_states(as_of=AS_OF)
    assert not [q for q in queries.captured_queries if "health_searchtoken" in q["sql"]]


def test_an_assignment_shows_at_once(workspace: Workspace) -> None:
    account = make_account()
    refresh_states(as_of=AS_OF)
    account.csm = join_csm(workspace)
    account.save()
    refresh_accounts([account.pk])
    assert AccountState.objects.get(account=account).csm_id == account.csm_id


def test_a_change_from_outside_shows_without_waiting_for_the_night(workspace: Workspace) -> None:
    account = make_account()
    person = make_contact(account, "Zoë Kim")
    refresh_states(as_of=AS_OF)
    Account.objects.update(name="Renamed")
    type(person).objects.update(name="Somebody Else")
    account_changed.send(account.pk)
    contact_changed.send(person.pk)
    for job in Job.objects.filter(
        workspace=workspace, kind__in=("health.account_changed", "health.contact_changed")
    ):
        job_kinds.get(job.kind).handler(job.object_id)
    assert AccountState.objects.get(account=account).name == "Renamed"
    assert [hit.label for hit in find_contacts("somebody")] == ["Somebody Else"]


def join_csm(workspace: Workspace) -> Any:
    return join(workspace, "Ben", "csm")
