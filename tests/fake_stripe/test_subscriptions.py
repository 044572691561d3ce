"""Ways in which a subscription changes: paused, discounted, switched, canceled."""

import pytest
import stripe

from tests.fake_stripe.shop import DAY, MONTHLY, START


def test_pause_and_resume(shop):
    subscription = shop.subscribe(shop.customer()[0])
    shop.fake.advance(days=10)
    paused = shop.stripe.subscriptions.pause(subscription.id)
    assert (paused.status, paused.status_details.paused.subscription.type) == ("paused", "pause_requested")
    assert "customer.subscription.paused" in shop.event_types()
    shop.fake.advance(days=90)
    assert len(shop.fake.ledger()) == 1
    resumed = shop.stripe.subscriptions.resume(subscription.id)
    assert (resumed.status, resumed.status_details) == ("active", None)
    assert resumed["items"].data[0].current_period_start == START + 100 * DAY
    credit = round(MONTHLY * 21 / 31)
    assert [row["amount"] for row in shop.fake.ledger()] == [MONTHLY, MONTHLY - credit]
    assert "customer.subscription.resumed" in shop.event_types()


def test_canceled_while_paused(shop):
    subscription = shop.subscribe(shop.customer()[0])
    shop.stripe.subscriptions.pause(subscription.id)
    gone = shop.stripe.subscriptions.cancel(subscription.id)
    assert (gone.status, gone.status_details) == ("canceled", None)


def test_resuming_only_when_paid(shop):
    customer, _ = shop.customer("ok", "insufficient_funds", "ok")
    subscription = shop.subscribe(customer)
    shop.stripe.subscriptions.pause(subscription.id, {"bill_for": {"unused_time_from": {"type": "none"}}})
    wish = {"payment_behavior": "resume_on_payment_success"}
    tried = shop.stripe.subscriptions.resume(subscription.id, wish)
    assert tried.status == "paused"
    shop.pay(tried.latest_invoice)
    assert shop.subscription(subscription.id).status == "active"


def test_pausing_needs_the_flexible_mode(shop):
    subscription = shop.subscribe(shop.customer()[0], billing_mode={"type": "classic"})
    with pytest.raises(stripe.InvalidRequestError, match="flexible"):
        shop.stripe.subscriptions.pause(subscription.id)


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("void", "void"), ("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible")],
)
def test_pause_collection_leaves_the_subscription_active(shop, behavior, status):
    subscription = shop.subscribe(shop.customer()[0])
    until = START + 45 * DAY
    shop.stripe.subscriptions.update(
        subscription.id, {"pause_collection": {"behavior": behavior, "resumes_at": until}}
    )
    shop.fake.advance(days=33)
    assert shop.subscription(subscription.id).status == "active"
    assert shop.stripe.invoices.list({"limit": 1}).data[0].status == status
    assert len(shop.fake.ledger()) == 1
    shop.fake.advance(days=28)
    assert shop.subscription(subscription.id).pause_collection is None
    assert len(shop.fake.ledger()) == 2


def test_discounts_by_percent_amount_and_time(shop):
    api = shop.stripe
    half = api.coupons.create({"percent_off": 50, "duration": "repeating", "duration_in_months": 2})
    ten = api.coupons.create({"amount_off": 1000, "currency": "usd", "duration": "once"})
    subscription = shop.subscribe(
        shop.customer()[0], discounts=[{"coupon": half.id}, {"coupon": ten.id}], expand=["discounts"]
    )
    taken = shop.invoice(subscription.latest_invoice).total_discount_amounts
    assert [one.amount for one in taken] == [MONTHLY // 2, 1000]
    assert [one.source.coupon for one in subscription.discounts] == [half.id]
    shop.fake.advance(days=95)
    amounts = [row["amount"] for row in shop.fake.ledger()]
    assert amounts == [MONTHLY // 2 - 1000, MONTHLY // 2, MONTHLY, MONTHLY]
    assert shop.subscription(subscription.id).discounts == []


def test_a_coupon_put_on_later_and_used_up(shop):
    coupon = shop.stripe.coupons.create({"percent_off": 20, "duration": "once", "max_redemptions": 1})
    first, second = (shop.subscribe(shop.customer()[0]) for _ in range(2))
    wish = {"discounts": [{"coupon": coupon.id}]}
    shop.stripe.subscriptions.update(first.id, wish)
    assert shop.stripe.invoices.create_preview({"subscription": first.id}).total == round(MONTHLY * 0.8)
    with pytest.raises(stripe.InvalidRequestError, match="expired"):
        shop.stripe.subscriptions.update(second.id, wish)


def test_a_discount_on_the_customer_counts_where_the_subscription_has_none(shop):
    api = shop.stripe
    half = api.coupons.create({"percent_off": 50, "duration": "forever"})
    ten = api.coupons.create({"amount_off": 1000, "currency": "usd", "duration": "forever"})
    customer = shop.customer()[0]
    shop.fake.control("POST", "discount", customer=customer, coupon=half.id)
    assert api.customers.retrieve(customer).discount.source.coupon == half.id
    inherits = shop.subscribe(customer)
    has_own = shop.subscribe(customer, discounts=[{"coupon": ten.id}])
    bills = [shop.invoice(one.latest_invoice).total for one in (inherits, has_own)]
    assert bills == [MONTHLY // 2, MONTHLY - 1000]
    assert api.invoices.create_preview({"subscription": inherits.id}).total == MONTHLY // 2
    assert shop.subscription(inherits.id).discounts == []
    api.customers.delete_discount(customer)
    assert api.customers.retrieve(customer).discount is None
    shop.fake.advance(days=32)
    assert sorted(row["amount"] for row in shop.fake.ledger())[-1] == MONTHLY


def test_canceling_now_with_reasons(shop):
    customer, _ = shop.customer("ok", "insufficient_funds")
    subscription = shop.subscribe(customer)
    shop.fake.advance(days=32)
    gone = shop.stripe.subscriptions.cancel(
        subscription.id, {"cancellation_details": {"feedback": "too_expensive", "comment": "sorry"}}
    )
    assert (gone.status, gone.ended_at) == ("canceled", START + 32 * DAY)
    assert gone.cancellation_details.to_dict() == {
        "comment": "sorry",
        "feedback": "too_expensive",
        "reason": "cancellation_requested",
    }
    left = shop.invoice(subscription.latest_invoice)
    assert left.status == "paid"
    still_open = shop.stripe.invoices.list({"status": "open"}).data[0]
    assert (still_open.auto_advance, still_open.next_payment_attempt) == (False, None)
    with pytest.raises(stripe.InvalidRequestError):
        shop.stripe.subscriptions.cancel(subscription.id)


def test_canceling_at_the_periods_end_and_thinking_again(shop):
    first, second = (shop.subscribe(shop.customer()[0]) for _ in range(2))
    for one in (first, second):
        planned = shop.stripe.subscriptions.update(one.id, {"cancel_at_period_end": True})
        assert planned.cancel_at == START + 31 * DAY
    shop.stripe.subscriptions.update(second.id, {"cancel_at_period_end": False})
    shop.fake.advance(days=32)
    assert shop.subscription(first.id).status == "canceled"
    assert shop.subscription(second.id).status == "active"
    assert len(shop.fake.ledger()) == 3


def test_switching_to_a_dearer_plan_and_to_a_year(shop):
    api = shop.stripe
    subscription = shop.subscribe(shop.customer()[0])
    product = api.prices.retrieve(shop.price).product
    dear = api.prices.create(
        {"product": product, "unit_amount": 9900, "currency": "usd", "recurring": {"interval": "month"}}
    )
    year = api.prices.create(
        {"product": product, "unit_amount": 99_000, "currency": "usd", "recurring": {"interval": "year"}}
    )
    shop.fake.advance(days=15, hours=12)
    item = subscription["items"].data[0].id
    api.subscriptions.update(
        subscription.id,
        {"items": [{"id": item, "price": dear.id}], "proration_behavior": "always_invoice"},
    )
    assert shop.fake.ledger()[-1]["amount"] == 2500
    switched = api.subscriptions.update(subscription.id, {"items": [{"id": item, "price": year.id}]})
    assert switched["items"].data[0].current_period_end == START + 365 * DAY + 15 * DAY + DAY // 2
    assert shop.fake.ledger()[-1]["amount"] == 99_000 - 4950


@pytest.mark.parametrize(
    ("behavior", "status"), [("allow_incomplete", "incomplete"), ("default_incomplete", "incomplete")]
)
def test_a_first_payment_that_fails_or_waits(shop, behavior, status):
    customer, _ = shop.customer("insufficient_funds", "ok")
    subscription = shop.subscribe(customer, payment_behavior=behavior)
    assert subscription.status == status
    assert len(shop.fake.ledger()) == (1 if behavior == "allow_incomplete" else 0)
    shop.fake.advance(hours=24)
    assert shop.subscription(subscription.id).status == "incomplete_expired"
    assert shop.invoice(subscription.latest_invoice).status == "void"


def test_error_if_incomplete_leaves_nothing(shop):
    customer, _ = shop.customer("insufficient_funds")
    with pytest.raises(stripe.CardError):
        shop.subscribe(customer, payment_behavior="error_if_incomplete")
    assert shop.stripe.subscriptions.list().data == []
    assert shop.fake.ledger() == []


def test_an_invoice_sent_by_mail_has_a_due_date(shop):
    customer = shop.stripe.customers.create({"name": "By invoice"}).id
    subscription = shop.subscribe(customer, collection_method="send_invoice", days_until_due=14)
    invoice = shop.invoice(subscription.latest_invoice)
    assert (subscription.status, invoice.status, invoice.due_date) == ("active", "open", START + 14 * DAY)
    paid = shop.pay(invoice.id, paid_out_of_band=True)
    assert (paid.status, paid.amount_paid_off_stripe, shop.fake.ledger()) == ("paid", MONTHLY, [])
    assert [one.status for one in shop.stripe.payment_intents.list().data] == ["canceled"]


def test_a_sent_invoice_that_nobody_pays_is_overdue(shop):
    customer = shop.stripe.customers.create({"name": "By invoice"}).id
    subscription = shop.subscribe(customer, collection_method="send_invoice", days_until_due=14)
    shop.fake.advance(days=13)
    assert shop.subscription(subscription.id).status == "active"
    shop.fake.advance(days=2)
    assert shop.subscription(subscription.id).status == "past_due"
    assert "invoice.overdue" in shop.event_types()
    shop.pay(subscription.latest_invoice, paid_out_of_band=True)
    assert shop.subscription(subscription.id).status == "active"
    shop.fake.advance(days=17)
    renewal = shop.invoice(shop.subscription(subscription.id).latest_invoice)
    assert renewal.due_date == renewal.status_transitions.finalized_at + 14 * DAY


def test_voided_and_given_up(shop):
    first, second = shop.open_invoice(), shop.open_invoice()
    void = shop.stripe.invoices.void_invoice(first.id)
    assert (void.status, shop.stripe.invoice_payments.list({"invoice": first.id}).data[0].status) == (
        "void",
        "canceled",
    )
    with pytest.raises(stripe.InvalidRequestError):
        shop.pay(first.id)
    assert shop.stripe.invoices.mark_uncollectible(second.id).status == "uncollectible"
    assert shop.pay(second.id).status == "paid"


def test_a_refund_is_in_the_ledger(shop):
    invoice = shop.open_invoice()
    shop.pay(invoice.id)
    charge = shop.fake.ledger()[0]["charge"]
    shop.stripe.refunds.create({"charge": charge, "amount": 900})
    assert shop.fake.ledger()[0]["refunded"] == 900
    shop.stripe.refunds.create({"charge": charge})
    assert shop.stripe.charges.retrieve(charge).refunded is True
    with pytest.raises(stripe.InvalidRequestError, match="already been refunded"):
        shop.stripe.refunds.create({"charge": charge})


def test_metadata_is_merged_by_key(shop):
    subscription = shop.subscribe(shop.customer()[0], metadata={"a": "1", "b": "2"})
    changed = shop.stripe.subscriptions.update(subscription.id, {"metadata": {"b": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}
