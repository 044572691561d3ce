"""3-D Secure: off-session it is a refusal, with the person present it is a page; saving a card may ask as well."""

import urllib.parse
import urllib.request

import pytest
import stripe


def post(url, **form):
    """Submit a form as a browser does, without following the way back to the shop."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    opener = urllib.request.build_opener(Stay)
    request = urllib.request.Request(url, data=urllib.parse.urlencode(form).encode())
    try:
        with opener.open(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers.get("Location") or answer.read().decode()


def page(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read().decode()


def checkout(shop, customer, **more):
    return shop.stripe.checkout.sessions.create(
        {
            "mode": "setup",
            "customer": customer,
            "currency": "usd",
            "success_url": "http://127.0.0.1:1/back?session={CHECKOUT_SESSION_ID}",
            **more,
        }
    )


def test_off_session_it_is_a_refusal(shop):
    invoice = shop.open_invoice("3ds")
    error = shop.refused(invoice.id)
    assert (error.code, error.error.decline_code) == ("authentication_required", "authentication_required")
    assert {"invoice.payment_failed", "invoice.payment_action_required"} <= set(shop.event_types())


def test_on_session_the_person_confirms_on_the_banks_page(shop):
    invoice = shop.open_invoice("3ds")
    error = shop.refused(invoice.id, off_session=False)
    assert error.code == "invoice_payment_intent_requires_action"
    intent = shop.stripe.payment_intents.retrieve(error.error.payment_intent.id)
    assert intent.status == "requires_action"
    url = intent.next_action.redirect_to_url.url
    assert "Is it you?" in page(url)
    status, location = post(url, answer="yes")
    assert (status, location) == (303, f"/invoice/{invoice.id}")
    assert "Paid" in page(shop.fake.url + location)
    assert shop.invoice(invoice.id).status == "paid"


def test_refused_by_the_person_or_declined_afterwards(shop):
    first, second = shop.open_invoice("3ds"), shop.open_invoice("3ds", "insufficient_funds")
    for invoice, answer in ((first, "no"), (second, "yes")):
        error = shop.refused(invoice.id, off_session=False)
        post(f"{shop.fake.url}/authenticate/{error.error.payment_intent.id}", answer=answer)
        assert shop.invoice(invoice.id).status == "open"
    codes = [intent.last_payment_error.code for intent in shop.stripe.payment_intents.list().data]
    assert codes == ["card_declined", "authentication_required"]


def test_the_hosted_page_saves_a_card(shop):
    customer, _ = shop.customer()
    session = checkout(shop, customer)
    assert (session.status, session.mode) == ("open", "setup")
    assert "4242 4242 4242 4242" in page(session.url)
    status, text = post(session.url, number="1234")
    assert status == 200 and "Your card number is invalid." in text
    status, location = post(session.url, method="5555555555554444")
    assert (status, location) == (303, f"http://127.0.0.1:1/back?session={session.id}")
    done = shop.stripe.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent.payment_method"]})
    assert done.status == "complete"
    card = done.setup_intent.payment_method
    assert (card.customer, card.card.brand, card.card.last4) == (customer, "mastercard", "4444")
    assert "checkout.session.completed" in shop.event_types()


def test_a_card_that_asks_once_works_off_session_afterwards(shop):
    customer, _ = shop.customer()
    session = checkout(shop, customer)
    status, location = post(session.url, method="4000002500003155")
    assert status == 303 and location.startswith("/authenticate/seti_")
    status, back = post(shop.fake.url + location, answer="yes")
    assert status == 303 and back.endswith(session.id)
    setup = shop.stripe.setup_intents.retrieve(location.rpartition("/")[2])
    shop.stripe.customers.update(
        customer, {"invoice_settings": {"default_payment_method": setup.payment_method}}
    )
    assert shop.subscribe(customer).status == "active"


def test_the_same_card_without_that_page_is_refused(shop):
    customer, _ = shop.customer(token="pm_card_authenticationRequiredOnSetup")
    assert shop.subscribe(customer).status == "incomplete"


@pytest.mark.parametrize("kind", ["paypal", "link", "sepa_debit", "us_bank_account"])
def test_other_methods_by_name(shop, kind):
    customer, _ = shop.customer()
    session = checkout(shop, customer)
    post(session.url, method=kind)
    names = [one.type for one in shop.stripe.payment_methods.list({"customer": customer}).data]
    assert names == [kind, "card"]


def test_a_session_expires_with_the_clock(shop):
    session = checkout(shop, shop.customer()[0])
    shop.fake.advance(hours=25)
    assert shop.stripe.checkout.sessions.retrieve(session.id).status == "expired"
    assert "expired" in page(session.url)


def test_setup_mode_needs_a_currency_or_method_types(shop):
    with pytest.raises(stripe.InvalidRequestError, match="currency"):
        shop.stripe.checkout.sessions.create({"mode": "setup", "success_url": "http://127.0.0.1:1/"})
    kinds = {"allowed_payment_method_types": ["card"]}
    made = shop.stripe.checkout.sessions.create(
        {"mode": "setup", "success_url": "http://127.0.0.1:1/", **kinds}
    )
    assert made.payment_method_types == ["card"]


@pytest.mark.parametrize(("locale", "heading"), [("ko", "결제 수단 저장"), ("en", "Save a payment method")])
def test_the_checkout_speaks_the_language_it_was_made_for(shop, locale, heading):
    customer = shop.stripe.customers.create({"name": "Alder"}).id
    found = page(checkout(shop, customer, locale=locale).url)
    assert f"<h1>{heading}</h1>" in found and f'<html lang="{locale}">' in found
