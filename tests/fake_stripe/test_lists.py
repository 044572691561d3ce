"""Lists: newest first, cursors both ways, filters, ranges, expansion."""

import pytest
import stripe

from tests.fake_stripe.shop import DAY, START


def test_pages_forwards_and_backwards(shop):
    made = [shop.customer()[0] for _ in range(7)][::-1]
    pages = shop.stripe.customers.list({"limit": 3})
    assert [one.id for one in pages.auto_paging_iter()] == made
    assert pages.has_more is True
    back = shop.stripe.customers.list({"limit": 3, "ending_before": made[5]})
    assert [one.id for one in back.data] == made[2:5]
    after = shop.stripe.customers.list({"limit": 100, "starting_after": made[4]})
    assert ([one.id for one in after.data], after.has_more) == (made[5:], False)
    with pytest.raises(stripe.InvalidRequestError):
        shop.stripe.customers.list({"starting_after": "cus_unknown"})


def test_created_ranges(shop):
    made = []
    for _ in range(3):
        made.append(shop.customer()[0])
        shop.fake.advance(days=1)

    def ids(created):
        return [one.id for one in shop.stripe.customers.list({"created": created}).data][::-1]

    second = START + DAY
    assert ids({"gte": second}) == made[1:]
    assert ids({"gt": second}) == made[2:]
    assert ids({"lt": second}) == made[:1]
    assert ids({"lte": second}) == made[:2]
    assert ids(second) == [made[1]]


def test_filters(shop):
    good, bad = shop.customer()[0], shop.customer("insufficient_funds")[0]
    active, incomplete = shop.subscribe(good), shop.subscribe(bad)
    api = shop.stripe
    assert [one.id for one in api.subscriptions.list({"status": "active"}).data] == [active.id]
    assert [one.id for one in api.subscriptions.list({"customer": bad}).data] == [incomplete.id]
    assert [one.id for one in api.subscriptions.list({"price": shop.price}).data] == [
        incomplete.id,
        active.id,
    ]
    assert [one.id for one in api.invoices.list({"status": "open"}).data] == [incomplete.latest_invoice]
    assert [one.id for one in api.invoices.list({"subscription": active.id}).data] == [active.latest_invoice]
    api.subscriptions.cancel(active.id)
    assert [one.id for one in api.subscriptions.list().data] == [incomplete.id]
    assert [one.id for one in api.subscriptions.list({"status": "canceled"}).data] == [active.id]
    assert len(api.subscriptions.list({"status": "all"}).data) == 2
    assert [one.email for one in api.customers.list({"email": "ada@example.com", "limit": 1}).data] == [
        "ada@example.com"
    ]


def test_expansion_reaches_the_charge_of_an_invoice(shop):
    subscription = shop.subscribe(
        shop.customer()[0],
        expand=["latest_invoice.payments.data.payment.payment_intent", "customer", "default_payment_method"],
    )
    intent = subscription.latest_invoice.payments.data[0].payment.payment_intent
    assert (intent.status, subscription.customer.name) == ("succeeded", "Ada")
    assert subscription.default_payment_method is None
    found = shop.stripe.invoice_payments.list(
        {"invoice": subscription.latest_invoice.id, "expand": ["data.payment.payment_intent.latest_charge"]}
    )
    assert found.data[0].payment.payment_intent.latest_charge.status == "succeeded"


def test_what_must_be_asked_for_is_left_out(shop):
    invoice = shop.invoice(shop.subscribe(shop.customer()[0]).latest_invoice)
    assert "payments" not in invoice.to_dict()
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        shop.stripe.invoices.retrieve(invoice.id, {"expand": ["charge"]})
