"""Before a payment fails: who is told of what and when, once, and who is not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail as outbox

from accounts.models import (
    Account,
    BillingCustomer,
    OutboundEmail,
    PaymentMethod,
    Subscription,
    SubscriptionChange,
)
from accounts.services.let_go import let_go
from dunning.models import AdvanceNotice, DunningPolicy
from dunning.services.advance_notices import tell_in_advance
from tests.builders import make_subscription
from tests.dunning.notices.world import owing, send_mails

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def subscribed(
    interval: str = "year", *, in_days: int = 30, name: str = "Northwind", **fields: Any
) -> Subscription:
    account, _ = owing(name)
    made: Subscription = make_subscription(
        account,
        external_id=f"sub_{name}",
        billing_interval=interval,
        renews_at=NOW + timedelta(days=in_days),
        mrr_minor=5000,
        **fields,
    )
    return made


def with_card(subscription: Subscription, *, year: int, month: int, **fields: Any) -> PaymentMethod:
    customer = BillingCustomer.objects.create(
        account=subscription.account,
        external_id=f"cus_{subscription.pk}",
        default_method=f"pm_{subscription.pk}",
    )
    Subscription.objects.filter(pk=subscription.pk).update(customer=customer)
    values = {"kind": "card", "brand": "visa", "last4": "4242", "created_at": NOW - timedelta(days=400)}
    made: PaymentMethod = PaymentMethod.objects.create(
        customer=customer,
        external_id=f"pm_{subscription.pk}",
        exp_year=year,
        exp_month=month,
        **(values | fields),
    )
    return made


def told() -> list[tuple[str, int]]:
    return list(AdvanceNotice.objects.order_by("pk").values_list("kind", "days_before"))


def test_annual_terms_are_told_thirty_days_ahead_once(scope):
    subscribed(in_days=31)
    assert tell_in_advance(now=NOW) == 0
    assert tell_in_advance(now=NOW + timedelta(days=1)) == 1
    for day in range(1, 31):
        assert tell_in_advance(now=NOW + timedelta(days=day)) == 0
    row = AdvanceNotice.objects.get()
    assert (row.kind, row.about_on, row.email is not None) == ("renewal", date(2026, 12, 21), True)
    assert row.email.context["extra"]["payment.amount"] == "$600"


def test_monthly_terms_only_where_the_policy_says_everybody(scope):
    subscribed("month", in_days=3)
    assert tell_in_advance(now=NOW) == 0


def test_nobody_who_has_canceled_or_is_let_go_is_told(scope):
    subscribed(name="Leaving", cancel_at=NOW + timedelta(days=30))
    subscribed(
        name="Gone",
        ended_at=NOW - timedelta(days=1),
        ended_cause="voluntary",
        started_at=NOW - timedelta(days=90),
    )
    gone = subscribed(name="Let go")
    let_go(account=gone.account, note="No fit", acting_user=scope.ada, now=NOW)
    assert tell_in_advance(now=NOW) == 0 and not told()


def test_a_mail_does_not_follow_a_cancellation(scope):
    one = subscribed()
    tell_in_advance(now=NOW)
    Subscription.objects.filter(pk=one.pk).update(cancel_at=NOW + timedelta(days=30))
    send_mails()
    assert outbox.outbox == []


def test_an_expiring_card_is_told_at_each_mark_until_it_is_replaced(scope):
    one = subscribed("month", in_days=20)
    card = with_card(one, year=2026, month=12)
    days = [day for day in range(45) if tell_in_advance(now=NOW + timedelta(days=day))]
    assert [kind for kind, _ in told()] == ["card_expires"] * 3
    assert [mark for _, mark in told()] == [30, 14, 7]
    assert days == [11, 27, 34]
    assert OutboundEmail.objects.latest("pk").context["extra"]["payment.card"] == "Visa •••• 4242"
    assert card.external_id == AdvanceNotice.objects.latest("pk").subject


def test_a_card_that_was_replaced_or_outlives_the_payment_is_no_news(scope):
    with_card(subscribed("month", in_days=5, name="New"), year=2031, month=12, replaced_at=NOW)
    with_card(subscribed("year", in_days=700, name="Far"), year=2026, month=12)
    assert tell_in_advance(now=NOW + timedelta(days=15)) == 0


def test_a_mail_about_a_card_does_not_follow_its_replacement(scope):
    card = with_card(subscribed("month", in_days=20), year=2026, month=11)
    assert tell_in_advance(now=NOW) == 1
    PaymentMethod.objects.filter(pk=card.pk).update(exp_year=2031, replaced_at=NOW)
    send_mails()
    assert outbox.outbox == []


def test_new_prices_and_ending_discounts(scope):
    one = subscribed("month", in_days=2)
    SubscriptionChange.objects.create(
        subscription=one,
        effective_at=NOW + timedelta(days=25),
        known_at=NOW,
        mrr_minor=7000,
        currency="USD",
        billing_interval="month",
    )
    subscribed("month", in_days=2, name="Discount", discount_ends_at=NOW + timedelta(days=12))
    assert tell_in_advance(now=NOW) == 2
    assert sorted(kind for kind, _ in told()) == ["discount_ends", "price_change"]
    extra = OutboundEmail.objects.get(
        kind="dunning.advance_notice",
        context__extra__has_key="payment.price_before",
        context__extra__contains={"payment.price_before": "$50 a month"},
    ).context["extra"]
    assert extra["payment.amount"] == "$70 a month"


def test_nothing_is_said_before_a_person_starts_the_collecting(scope):
    subscribed()
    DunningPolicy.objects.update(collecting_since=None)
    assert tell_in_advance(now=NOW) == 0


def test_nobody_to_tell_is_kept_too(scope):
    one = subscribed()
    Account.objects.get(pk=one.account_id).contacts.update(email="")
    assert tell_in_advance(now=NOW) == 0
    assert AdvanceNotice.objects.get().not_sent_because == "nobody"


@pytest.mark.parametrize(("language", "words"), [("en", "renews on"), ("ko", "갱신됩니다")])
def test_both_languages(scope, language, words):
    one = subscribed()
    one.account.contacts.update(language=language)
    tell_in_advance(now=NOW)
    Subscription.objects.filter(pk=one.pk).update(renews_at=NOW + timedelta(days=30))
    send_mails()
    assert words in outbox.outbox[0].body
