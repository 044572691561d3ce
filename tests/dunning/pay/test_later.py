"""The card page where nothing is charged now: another card for later payments, pages that were left or are stale."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.gateways.stripe.sessions import read_setup
from accounts.models import (
    Account,
    BillingCustomer,
    BillingOrder,
    Invoice,
    OrderKind,
    PaymentMethod,
    Subscription,
)
from accounts.services.billing_orders import connected
from accounts.services.billing_pace import paced_gateway
from accounts.services.billing_refresh import Reader
from dunning.models import DunningCase
from dunning.services import card_setup, case_verbs
from dunning.services.pay_links import pay_url
from tests.dunning.pay.test_card import press_card
from tests.dunning.pay.world import Shop, page_of_stripe, path_of, save_card

pytestmark = pytest.mark.django_db(transaction=True)


def subscriber(shop: Shop, *, has_own: bool = False) -> str:
    """A customer whose payments go well; returns the path of their card page."""
    v1 = shop.fake.client().v1
    customer = v1.customers.create({"name": "Northwind", "email": "ada@example.com"})
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})
    made = shop.subscribe(customer.id, **({"default_payment_method": card.id} if has_own else {}))
    with shop.scope():
        reader = Reader(paced_gateway(connected()))  # type: ignore[arg-type]
    for name in (made.id, str(made.latest_invoice), card.id):
        reader.read(name)
    with shop.scope():
        reader.found.apply(now=timezone.now())
    shop.work()
    with shop.scope():
        PaymentMethod.objects.update(exp_year=2027, exp_month=3)
        return path_of(pay_url(account=Account.objects.get(), contact=None, now=timezone.now()))


def text(path: str, status: int = 200) -> str:
    answer = Client().get(path)
    assert answer.status_code == status
    return answer.content.decode()


@pytest.mark.parametrize("has_own", [False, True])
def test_an_expiring_card_is_replaced_where_it_sits_and_nothing_is_charged(shop: Shop, has_own: bool) -> None:
    path = subscriber(shop, has_own=has_own)
    page = text(path)
    assert "Visa •••• 4242, which is valid until the end of March 2027" in page and "Use another card" in page
    assert "Nothing is charged now" in page and "Pay with another card" not in page
    charges = len(shop.fake.ledger())
    back = path_of(save_card(page_of_stripe(Client(), press_card(shop, path, **{"for": "later"}))))
    assert "Your payment method is being saved" in text(back)
    shop.work(3)
    page = text(back)
    assert "Your payment method is saved" in page and "receipt" not in page
    with shop.scope():
        order = BillingOrder.objects.get(kind=OrderKind.SET_METHOD)
        own, whole = Subscription.objects.get().default_method, BillingCustomer.objects.get().default_method
        assert (own or whole) == order.method and bool(own) == has_own
        assert (whole == order.method) != has_own
    assert len(shop.fake.ledger()) == charges


def test_who_pays_what_was_paid_meanwhile_gets_no_page(shop: Shop) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    with shop.scope():
        Invoice.objects.update(status="paid", paid_at=timezone.now(), amount_paid_minor=4900)
    answer = Client().post(f"{path}card/", {"method": "card"}, follow=True)
    assert "Everything is paid" in answer.content.decode()
    with shop.scope():
        assert not BillingOrder.objects.exists()


def test_an_invoice_that_is_void_is_not_asked_for(shop: Shop) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    with shop.scope():
        Invoice.objects.update(status="void")
    page = text(path)
    assert "Everything is paid" in page and "$49" not in page


@pytest.mark.parametrize("how", ["stopped", "ended"])
def test_nothing_is_promised_that_is_not_charged(shop: Shop, how: str) -> None:
    """A case that a CSM stopped, or that is over: the new card is for later, and the invoice is paid at Stripe."""
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    with shop.scope():
        Invoice.objects.update(hosted_url="https://invoice.stripe.example/i/1")
        verb = case_verbs.stop if how == "stopped" else case_verbs.close
        verb(case=DunningCase.objects.get(), acting_user=shop.cast.ada, now=timezone.now())
    page = text(path)
    assert "Open the invoice and pay" in page and "charged at once" not in page
    back = path_of(save_card(page_of_stripe(Client(), press_card(shop, path, **{"for": "later"}))))
    shop.work(3)
    page = text(back)
    assert "Your payment method is saved" in page and "Open the invoice and pay" in page
    assert "did not accept" not in page
    with shop.scope():
        assert not BillingOrder.objects.filter(kind=OrderKind.PAY).exists()


def test_the_way_back_to_a_page_that_did_its_work_shows_what_came_of_it(shop: Shop) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    waiting = press_card(shop, path)
    save_card(page_of_stripe(Client(), waiting))
    shop.work(3)
    answer = Client().get(waiting, follow=True)
    assert "Everything is paid for" in answer.content.decode()


def test_an_expired_page_is_not_offered(shop: Shop) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    waiting = press_card(shop, path)
    with shop.scope():
        BillingOrder.objects.update(planned_at=timezone.now() - timedelta(hours=25))
    answer = Client().get(waiting, follow=True)
    assert "The page has expired" in answer.content.decode()
    assert press_card(shop, path) != waiting


def test_every_page_speaks_the_other_language_at_the_same_place(shop: Shop) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    waiting = press_card(shop, path)
    back = path_of(save_card(page_of_stripe(Client(), waiting)))
    refused = Client().post(f"{path}question/", {"text": ""}).content.decode()
    for page in (text(waiting.replace("/wait/?", "/wait/?lang=en&")), text(back), text(path), refused):
        korean = page.split('hreflang="ko"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
        assert Client().get(korean, follow=True).status_code == 200


def test_a_session_of_somebody_else_opens_and_sets_nothing(shop: Shop, monkeypatch: Any) -> None:
    first, second = shop.failed("expired_card", "expired_card", count=2)
    path, other = (shop.link(case, shop.person(case)) for case in (first, second))
    back = path_of(save_card(page_of_stripe(Client(), press_card(shop, path))))
    session = back.split("session=")[1]
    assert Client().get(f"{other}done/?session={session}").status_code == 404
    with shop.scope():
        order = BillingOrder.objects.get(kind=OrderKind.SETUP)
    assert Client().get(f"{other}wait/?order={order.public_id}").status_code == 404

    # Nor is a method placed whose session the provider knows under another customer.
    monkeypatch.setattr(
        "dunning.services.card_setup.read_setup", lambda *a: replace(read_setup(*a), customer_id="cus_other")
    )
    shop.work(2)
    with shop.scope():
        assert not BillingOrder.objects.filter(kind=OrderKind.SET_METHOD).exists()


def test_the_providers_message_in_any_order_and_number_is_one_card_and_one_charge(shop: Shop) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    back = path_of(save_card(page_of_stripe(Client(), press_card(shop, path))))
    message = SimpleNamespace(object_id=back.split("session=")[1])
    for act in (message, back, message, None, message, back, None, message):  # None: the worker's turn
        if act is message:
            with shop.scope():
                card_setup.read_message(None, message)()
        elif act:
            Client().get(str(act))
        else:
            shop.work(3)
    shop.work()
    with shop.scope():
        assert BillingOrder.objects.filter(kind=OrderKind.SET_METHOD).count() == 1
        assert BillingOrder.objects.get(kind=OrderKind.PAY).state == "succeeded"


def test_pages_and_charges_have_a_limit_a_day(shop: Shop, monkeypatch: Any) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    monkeypatch.setattr(card_setup, "MOST_A_DAY", 1)
    monkeypatch.setattr("dunning.services.paying.MOST_A_DAY", 0)
    press_card(shop, path)
    for name, form in (("card", {"method": "any"}), ("now", {})):
        answer = Client().post(f"{path}{name}/", form)
        assert answer.status_code == 429 and "tried very often today" in answer.content.decode()
