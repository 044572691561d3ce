"""Months in seconds: renewals, trials, Stripe's own retries, card updates, debits."""

from datetime import UTC, datetime

import pytest
import stripe

from fake_stripe.months import add_interval
from tests.fake_stripe.shop import DAY, MONTHLY, START


def day(moment):
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def test_a_year_of_renewals_on_a_test_clock(shop):
    api = shop.stripe
    clock = api.test_helpers.test_clocks.create({"frozen_time": START + 30 * DAY})
    customer, _ = shop.customer(test_clock=clock.id)
    subscription = shop.subscribe(customer)
    now = START + 30 * DAY
    for _ in range(12):
        now += 31 * DAY
        clock = api.test_helpers.test_clocks.advance(clock.id, {"frozen_time": now})
    assert clock.status == "ready"
    invoices = api.invoices.list({"subscription": subscription.id, "limit": 100}).data
    assert {one.status for one in invoices} == {"paid"}
    assert [one.billing_reason for one in invoices] == ["subscription_cycle"] * 12 + ["subscription_create"]
    starts = [day(one.lines.data[0].period.start) for one in reversed(invoices)]
    assert starts[:4] == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]
    assert shop.fake.summary()["charges"]["succeeded"] == {"count": 13, "amount": 13 * MONTHLY}
    item = shop.subscription(subscription.id)["items"].data[0]
    assert item.current_period_start <= now < item.current_period_end


def test_a_test_clock_leaves_others_alone_and_has_a_limit(shop):
    api = shop.stripe
    clock = api.test_helpers.test_clocks.create({"frozen_time": START})
    on_clock = shop.subscribe(shop.customer(test_clock=clock.id)[0])
    off_clock = shop.subscribe(shop.customer()[0])
    with pytest.raises(stripe.InvalidRequestError, match="two intervals"):
        api.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START + 100 * DAY})
    api.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START + 40 * DAY})
    assert len(api.invoices.list({"subscription": on_clock.id}).data) == 2
    assert len(api.invoices.list({"subscription": off_clock.id}).data) == 1
    assert shop.fake.now() == START


def test_the_draft_waits_an_hour_and_upcoming_is_told_a_week_before(shop):
    subscription = shop.subscribe(shop.customer()[0])
    shop.fake.advance(days=23)
    assert "invoice.upcoming" not in shop.event_types()
    shop.fake.advance(days=1, hours=1)
    upcoming = shop.stripe.events.list({"type": "invoice.upcoming"}).data
    assert [event.data.object.amount_due for event in upcoming] == [MONTHLY]
    shop.fake.advance(days=7)
    latest = shop.subscription(subscription.id).latest_invoice
    assert shop.invoice(latest).status == "paid"
    moments = shop.invoice(latest).status_transitions
    assert moments.finalized_at == START + 31 * DAY + 3600
    shop.fake.advance(days=27, hours=23, seconds=60)
    draft = shop.invoice(shop.subscription(subscription.id).latest_invoice)
    assert (draft.status, draft.automatically_finalizes_at) == ("draft", START + 59 * DAY + 3600)


def test_a_trial_ends_in_its_first_charge(shop):
    customer, _ = shop.customer()
    subscription = shop.subscribe(customer, trial_period_days=14)
    assert (subscription.status, shop.fake.ledger()) == ("trialing", [])
    assert shop.invoice(subscription.latest_invoice).amount_due == 0
    shop.fake.advance(days=12)
    assert "customer.subscription.trial_will_end" in shop.event_types()
    shop.fake.advance(days=3)
    assert shop.subscription(subscription.id).status == "active"
    assert [row["amount"] for row in shop.fake.ledger()] == [MONTHLY]


def test_a_trial_without_a_card_pauses_where_told(shop):
    customer = shop.stripe.customers.create({"name": "No card"}).id
    end = {"end_behavior": {"missing_payment_method": "pause"}}
    subscription = shop.subscribe(customer, trial_period_days=14, trial_settings=end)
    shop.fake.advance(days=15)
    paused = shop.subscription(subscription.id)
    assert paused.status == "paused"
    assert paused.status_details.paused.subscription.type == "trial_end_without_payment_method"


def test_without_stripes_retries_the_invoice_waits_for_us(shop):
    customer, _ = shop.customer("ok", "insufficient_funds")
    subscription = shop.subscribe(customer)
    shop.fake.advance(days=60)
    first = shop.stripe.invoices.list({"status": "open"}).data[-1]
    assert (first.attempt_count, first.next_payment_attempt) == (1, None)
    assert shop.subscription(subscription.id).status == "past_due"
    assert shop.stripe.customers.retrieve(customer).delinquent is True


@pytest.mark.parametrize(
    ("end_state", "status"),
    [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due"), ("pause", "paused")],
)
def test_stripes_own_retries_and_their_end(shop, end_state, status):
    shop.fake.settings(retry_days=[3, 5, 7], end_state=end_state)
    customer, _ = shop.customer("ok", "insufficient_funds")
    subscription = shop.subscribe(customer)
    shop.fake.advance(days=33)
    invoice = shop.invoice(shop.subscription(subscription.id).latest_invoice)
    assert invoice.next_payment_attempt == START + 34 * DAY + 3600
    shop.fake.advance(days=8)
    assert shop.invoice(invoice.id).attempt_count == 4
    assert len(shop.fake.ledger(invoice=invoice.id)) == 4
    assert shop.subscription(subscription.id).status == status


def test_after_a_hard_decline_the_count_rises_but_nothing_runs(shop):
    """The trap: attempt_count tells less than the charges do."""
    shop.fake.settings(retry_days=[3, 5, 7])
    customer, _ = shop.customer("ok", "lost_card")
    subscription = shop.subscribe(customer)
    shop.fake.advance(days=37)
    invoice = shop.invoice(shop.subscription(subscription.id).latest_invoice)
    assert invoice.attempt_count == 3
    assert len(shop.fake.ledger(invoice=invoice.id)) == 1
    other = shop.stripe.payment_methods.attach("pm_card_mastercard", {"customer": customer}).id
    shop.stripe.customers.update(customer, {"invoice_settings": {"default_payment_method": other}})
    shop.fake.advance(days=3)
    assert shop.invoice(invoice.id).status == "paid"


def test_the_account_updater_replaces_a_card(shop):
    customer, method = shop.customer("expired_card")
    shop.fake.control(
        "POST", "cards/replace", payment_method=method, number="4242424242424242", at=START + DAY // 2
    )
    invoice = shop.subscribe(customer).latest_invoice
    assert shop.invoice(invoice).status == "open"
    shop.fake.advance(hours=13)
    event = shop.stripe.events.list({"type": "payment_method.automatically_updated"}).data[0]
    assert event.data.object.id == method
    assert "exp_year" in event.data.to_dict()["previous_attributes"]["card"]
    assert shop.pay(invoice).status == "paid"


@pytest.mark.parametrize(("step", "status"), [("ok", "paid"), ("insufficient_funds", "open")])
def test_a_debit_takes_days(shop, step, status):
    customer, _ = shop.customer()
    debit = shop.stripe.payment_methods.create(
        {
            "type": "sepa_debit",
            "sepa_debit": {"iban": "DE89370400440532013000"},
            "billing_details": {"name": "Ada", "email": "ada@example.com"},
        }
    )
    shop.stripe.payment_methods.attach(debit.id, {"customer": customer})
    shop.fake.outcomes([step], payment_method=debit.id)
    subscription = shop.subscribe(customer, default_payment_method=debit.id)
    intent = shop.stripe.payment_intents.list().data[0]
    assert (subscription.status, intent.status) == ("active", "processing")
    with pytest.raises(stripe.InvalidRequestError, match="still processing"):
        shop.pay(subscription.latest_invoice)
    shop.fake.advance(days=4)
    assert shop.invoice(subscription.latest_invoice).status == status
    assert shop.subscription(subscription.id).status == ("active" if step == "ok" else "past_due")
    row = shop.fake.ledger()[0]
    assert (row["status"], len(shop.fake.ledger())) == ("succeeded" if step == "ok" else "failed", 1)


def test_a_month_after_the_31st():
    january = int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp())
    february = add_interval(january, "month", anchor=january)
    assert day(february) == "2026-02-28"
    assert day(add_interval(february, "month", anchor=january)) == "2026-03-31"
    assert day(add_interval(january, "year")) == "2027-01-31"
    assert day(add_interval(january, "week", 2)) == "2026-02-14"
