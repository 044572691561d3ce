"""What the fake returns, held against the SDK's classes and against Stripe's own published examples."""

import json
import os
from pathlib import Path

import pytest
import stripe

from tests.fake_stripe.running import KEY, ROOT
from tests.fake_stripe.shapes import object_problems
from tests.fake_stripe.shop import DAY, START, Shop, open_shop

CLASSES = {
    "account": stripe.Account,
    "charge": stripe.Charge,
    "checkout.session": stripe.checkout.Session,
    "coupon": stripe.Coupon,
    "customer": stripe.Customer,
    "discount": stripe.Discount,
    "event": stripe.Event,
    "invoice": stripe.Invoice,
    "invoice_payment": stripe.InvoicePayment,
    "invoiceitem": stripe.InvoiceItem,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "price": stripe.Price,
    "product": stripe.Product,
    "refund": stripe.Refund,
    "setup_intent": stripe.SetupIntent,
    "subscription": stripe.Subscription,
    "subscription_item": stripe.SubscriptionItem,
    "test_helpers.test_clock": stripe.test_helpers.TestClock,
    "webhook_endpoint": stripe.WebhookEndpoint,
}
# Keys of the published examples that we leave out, because Stripe sends them only sometimes.
LEFT_OUT = {
    "charge": {"refunds", "source"},  # by expand only; charges of legacy sources
    "invoice": {"subscription"},  # gone since 2025-03-31.basil: `parent` carries it
    "payment_method": {"card"},  # of cards only
}
LISTS = (
    "customers",
    "products",
    "prices",
    "coupons",
    "payment_methods",
    "setup_intents",
    "checkout/sessions",
    "subscriptions?status=all&",
    "invoices",
    "invoice_payments",
    "payment_intents",
    "charges",
    "refunds",
    "events",
    "webhook_endpoints",
    "test_helpers/test_clocks",
    "invoiceitems",
)


def everything(shop: Shop) -> list[dict]:
    """All objects after half a year of good and bad days, those within events included."""
    raw = stripe.StripeClient(KEY, base_addresses={"api": shop.fake.url})

    def get(path):
        return json.loads(raw.raw_request("get", f"/v1/{path}").body)

    found = [get("account")]
    for path in LISTS:
        found += get(f"{path}{'' if '?' in path else '?'}limit=100")["data"]
    found += [one["data"]["object"] for one in found if one["object"] == "event"]
    subscription = get("subscriptions?status=all&limit=1&expand[]=data.discounts")["data"][0]
    found += [*subscription["discounts"], *subscription["items"]["data"]]
    expanded = "expand[]=data.payments.data.payment.payment_intent&expand[]=data.confirmation_secret"
    return found + get(f"invoices?limit=20&{expanded}")["data"]


def live(shop: Shop) -> None:
    """Renewals, trial, discount, declines, 3-D Secure, pauses, a refund, a saved card, a debit."""
    api = shop.stripe
    clock = api.test_helpers.test_clocks.create({"frozen_time": START})
    customer, _ = shop.customer("ok", "ok", "lost_card", "3ds", "ok", test_clock=clock.id)
    trial = shop.subscribe(customer, trial_period_days=14)
    coupon = api.coupons.create({"percent_off": 25, "duration": "repeating", "duration_in_months": 12})
    first = shop.subscribe(customer, discounts=[{"coupon": coupon.id}])
    for days in (20, 40, 75):
        api.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START + days * DAY})
    api.subscriptions.pause(trial.id)
    api.subscriptions.update(
        first.id, {"pause_collection": {"behavior": "void"}, "cancel_at_period_end": True}
    )
    session = api.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "customer": customer, "success_url": "http://127.0.0.1:1/"}
    )
    shop.fake.control("POST", "checkout/complete", session=session.id, number="4000002500003155")
    for kind in ("sepa_debit", "paypal", "link", "us_bank_account"):
        session = api.checkout.sessions.create(
            {"mode": "setup", "currency": "usd", "customer": customer, "success_url": "http://127.0.0.1:1/"}
        )
        shop.fake.control("POST", "checkout/complete", session=session.id, type=kind)
    shop.open_invoice()
    refused = shop.open_invoice("3ds")
    shop.refused(refused.id, off_session=False)
    debit = api.payment_methods.list({"customer": customer, "type": "sepa_debit"}).data[0]
    api.invoice_items.create({"customer": customer, "amount": 100, "currency": "usd"})
    shop.pay(api.invoices.create({"customer": customer}).id, payment_method=debit.id)
    paid = [one for one in api.charges.list().data if one.status == "succeeded"]
    api.refunds.create({"charge": paid[0].id})
    shop.fake.webhook("http://127.0.0.1:1/", "whsec_x", ["invoice.never"])


@pytest.fixture(scope="module")
def objects(fake_stripe_process):
    fake_stripe_process.reset()
    shop = open_shop(fake_stripe_process, now=None)
    live(shop)
    assert shop.fake.stats()["problems"] == []
    return everything(shop)


def test_every_kind_is_there_and_fits_the_sdks_classes(objects):
    assert {one["object"] for one in objects} == set(CLASSES)
    found = {text for one in objects for text in object_problems(one, CLASSES[one["object"]])}
    assert sorted(found) == []


def test_the_walker_sees_mistakes(objects):
    charge = next(one for one in objects if one["object"] == "charge" and one["status"] == "failed")
    assert object_problems({**charge, "coupon": 1}, stripe.Charge) == ["Charge: coupon is unknown"]
    assert object_problems({**charge, "amount": "4900"}, stripe.Charge) == ["Charge.amount: '4900' is no int"]
    assert len(object_problems({**charge, "status": "paid"}, stripe.Charge)) == 1
    assert object_problems({**charge, "outcome": {"advice_code": "never", "type": "x"}}, stripe.Charge) != []
    without = {key: value for key, value in charge.items() if key != "captured"}
    assert object_problems(without, stripe.Charge) == ["Charge: captured is missing"]


@pytest.mark.shared_data
def test_every_key_of_stripes_examples_is_there_and_no_other(objects):
    """Superset: all keys of the example but those left out on purpose. Subset: nothing beyond it and the SDK's class.

    Fields newer than the examples (August 2026) come from the SDK's annotations, which the test above checks.
    """
    data = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))
    path = data / "stripe" / "fixtures3.json"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    examples = json.loads(path.read_text())["resources"]
    mistakes = set()
    for one in objects:
        kind, example = one["object"], set(examples[one["object"]])
        known = example | set(CLASSES[kind].__annotations__)
        mistakes |= {f"{kind}: {key} is missing" for key in example - set(one) - LEFT_OUT.get(kind, set())}
        mistakes |= {f"{kind}: {key} is ours alone" for key in set(one) - known}
    assert sorted(mistakes) == []
