"""The narrow path, walked on our fake and on one that others wrote (localstripe): the same steps, the same findings.

Customer, card, one plan, pay, fail, fix, refund, cancel, mistakes, signed webhooks. localstripe answers in the shape
of 2017 and has plans only, so what is compared is what happened, not how it looks. What it cannot do is not walked:
decline codes, retries that raise, prices, pauses, discounts, idempotency, time.
"""

import os
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
import stripe

from tests.fake_stripe.receiver import SECRET, receiving
from tests.fake_stripe.running import ROOT

pytestmark = pytest.mark.witness
PYTHON = ROOT / ".witness" / "bin" / "python"
# Its own command listens on all interfaces and keeps a file in the temporary folder; so it is started this way.
LAUNCH = (
    "import sys; from aiohttp import web; from localstripe.server import app; "
    "web.run_app(app, host='127.0.0.1', port=int(sys.argv[1]), access_log=None, print=None)"
)
GOOD, BAD = "4242424242424242", "4000000000000341"
AMOUNT = 4900


@pytest.fixture
def localstripe(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([PYTHON, "-c", LAUNCH, str(port)], env=environment)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


def card(api, customer, number):
    """A card saved with the customer and made its default."""
    details = {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    method = api.payment_methods.create({"type": "card", "card": details})
    api.payment_methods.attach(method.id, {"customer": customer})
    api.customers.update(customer, {"invoice_settings": {"default_payment_method": method.id}})


def outcome(call):
    """What a call ended in: a status, or the error's class and HTTP status."""
    try:
        return call().status
    except stripe.StripeError as error:
        return type(error).__name__, error.http_status


def walk(api, item):
    """The steps; what was found at each."""
    found = {}
    ada = api.customers.create({"name": "Ada", "email": "ada@example.com", "metadata": {"k": "v"}})
    found["customer"] = (ada.email, ada.metadata.to_dict())
    card(api, ada.id, GOOD)
    good = api.subscriptions.create({"customer": ada.id, "items": [item]})
    invoice = api.invoices.list({"customer": ada.id}).data[0]
    found["good"] = (good.status, invoice.status, invoice.amount_paid)
    bob = api.customers.create({"name": "Bob"})
    card(api, bob.id, BAD)
    bad = api.subscriptions.create({"customer": bob.id, "items": [item]})
    invoice = api.invoices.list({"customer": bob.id}).data[0]
    found["bad"] = (bad.status, invoice.status, invoice.amount_paid, invoice.attempt_count)
    card(api, bob.id, GOOD)
    found["fixed"] = outcome(lambda: api.invoices.pay(invoice.id))
    found["after"] = api.subscriptions.retrieve(bad.id).status
    found["twice"] = outcome(lambda: api.invoices.pay(invoice.id))
    charges = [(one.status, one.amount) for one in api.charges.list().data]
    found["charges"] = sorted(charges)
    charge = next(one for one in api.charges.list().data if one.status == "succeeded")
    refund = api.refunds.create({"charge": charge.id, "amount": 900})
    found["refund"] = (refund.status, refund.amount, api.charges.retrieve(charge.id).amount_refunded)
    planned = api.subscriptions.update(good.id, {"cancel_at_period_end": True})
    found["planned"] = (planned.status, planned.cancel_at_period_end)
    found["canceled"] = api.subscriptions.cancel(good.id).status
    found["unknown object"] = outcome(lambda: api.customers.retrieve("cus_nothing"))
    found["unknown parameter"] = outcome(lambda: api.customers.create({"nonsense": "x"}))
    return found


def walk_ours(fake):
    api = fake.client().v1
    with receiving() as receiver:
        fake.webhook(receiver.url, SECRET)
        price = api.prices.create(
            {
                "unit_amount": AMOUNT,
                "currency": "usd",
                "recurring": {"interval": "month"},
                "product_data": {"name": "Pro"},
            }
        )
        found = walk(api, {"price": price.id})
        fake.wait_delivered()
        return found, set(receiver.types())


def walk_theirs(url):
    api = stripe.StripeClient("sk_test_12345", base_addresses={"api": url}, max_network_retries=0).v1
    with receiving() as receiver:
        form = urllib.parse.urlencode({"url": receiver.url, "secret": SECRET}).encode()
        urllib.request.urlopen(f"{url}/_config/webhooks/one", data=form).close()
        plan = api.plans.create(
            {"amount": AMOUNT, "currency": "usd", "interval": "month", "product": {"name": "Pro"}}
        )
        found = walk(api, {"plan": plan.id})
        # It sends one second after the event and keeps no queue to ask for.
        time.sleep(2.5)
        return found, set(receiver.types())


def test_both_find_the_same(fake_stripe, localstripe):
    ours, our_events = walk_ours(fake_stripe)
    theirs, their_events = walk_theirs(localstripe)
    # Its failing charge is counted twice: once when tried, once when the subscription is made of it.
    theirs["charges"] = sorted(set(theirs["charges"]))
    ours["charges"] = sorted(set(ours["charges"]))
    assert ours == theirs
    assert ours["twice"] == ("InvalidRequestError", 400)
    assert their_events - our_events <= {"plan.created"}
    assert len(their_events & our_events) >= 7
