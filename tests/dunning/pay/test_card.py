"""A new card on the provider's page: set where the failed one sat, charged at once, once."""

from __future__ import annotations

import pytest
from django.core import mail as outbox
from django.test import Client

from accounts.models import AccessLink, BillingCustomer, BillingOrder, Subscription
from tests.dunning.pay.world import Shop, page_of_stripe, path_of, save_card

pytestmark = pytest.mark.django_db(transaction=True)


def press_card(shop: Shop, path: str, **form: str) -> str:
    """Press the button; returns the waiting page's address, the order behind it done."""
    answer = Client().post(f"{path}card/", {"method": "card", **form})
    assert answer.status_code == 302, answer.content.decode()
    shop.work()
    return str(answer.headers["Location"])


def test_a_new_card_pays_at_once_and_thanks(shop: Shop) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    assert "A payment did not go through" in Client().get(path).content.decode()
    stripe = page_of_stripe(Client(), press_card(shop, path))
    back = path_of(save_card(stripe))
    assert "Your payment is being made" in Client().get(back).content.decode()
    shop.work(3)
    page = Client().get(back).content.decode()
    assert "Everything is paid for" in page
    paid = shop.again(case)
    assert (paid.state, paid.recovered_by, shop.invoice(case).status) == ("recovered", "notice", "paid")
    assert [m.subject for m in outbox.outbox if "Received" in m.subject] == ["Received, thank you: $49"]
    assert shop.fake.summary()["doubles"] == {}


def test_the_method_goes_where_the_failed_one_sat(shop: Shop) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    save_card(page_of_stripe(Client(), press_card(shop, path)))
    shop.work(3)
    with shop.scope():
        order = BillingOrder.objects.get(kind="set_method")
        assert "invoice_settings" in order.parameters
        assert BillingCustomer.objects.get(pk=order.customer_id).default_method == order.method
        assert not Subscription.objects.exclude(default_method="").exists()


def test_a_subscription_with_a_method_of_its_own_gets_the_new_one_there(shop: Shop) -> None:
    case = shop.subscription_failed()
    path = shop.link(case, shop.person(case))
    save_card(page_of_stripe(Client(), press_card(shop, path)))
    shop.work(3)
    with shop.scope():
        order = BillingOrder.objects.get(kind="set_method")
        assert set(order.parameters) == {"default_payment_method"}
        assert Subscription.objects.get(pk=order.subscription_id).default_method == order.method
        assert BillingCustomer.objects.get(pk=order.customer_id).default_method != order.method
    assert shop.again(case).state == "recovered"


def test_whoever_does_not_come_back_is_seen_all_the_same(shop: Shop) -> None:
    """The way back is closed with the browser: looking again finds what was saved."""
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    save_card(page_of_stripe(Client(), press_card(shop, path)))
    shop.work(4)
    assert shop.again(case).state == "recovered"


def test_pressing_twice_is_one_page_and_one_charge(shop: Shop) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    first, second = press_card(shop, path), press_card(shop, path)
    assert first == second
    back = path_of(save_card(page_of_stripe(Client(), first)))
    for _ in range(3):
        Client().get(back)
    shop.work(4)
    with shop.scope():
        assert BillingOrder.objects.filter(kind="setup").count() == 1
        assert BillingOrder.objects.filter(kind="pay", state="succeeded").count() == 1
    charges = [row for row in shop.fake.ledger() if row["status"] == "succeeded"]
    assert len(charges) == 1


def test_one_card_pays_all_open_invoices(shop: Shop) -> None:
    [case] = shop.failed(*["expired_card"] * 9)
    other = shop.another_invoice(case)
    path = shop.link(case, shop.person(case))
    assert Client().get(path).content.decode().count('class="bill-amount"') == 2
    save_card(page_of_stripe(Client(), press_card(shop, path)))
    shop.work(4)
    assert (shop.again(case).state, shop.again(other).state) == ("recovered", "recovered")


def test_a_refused_new_card_says_so_and_leaves_the_ways_open(shop: Shop) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    back = path_of(save_card(page_of_stripe(Client(), press_card(shop, path)), "4000000000000341"))
    shop.work(3)
    page = Client().get(back).content.decode()
    assert "The payment did not go through" in page and "See what you can do" in page
    assert "Pay with another card" in Client().get(path).content.decode()


def test_the_way_back_lives_a_day_and_the_link_itself_is_kept_nowhere(shop: Shop) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    press_card(shop, path)
    with shop.scope():
        order = BillingOrder.objects.get(kind="setup")
        assert path.split("/")[2] not in str(order.parameters)
        links = AccessLink.objects.filter(purpose="dunning.pay").order_by("expires_at")
        lives = [(link.expires_at - link.created_at).total_seconds() / 3600 for link in links]
        assert lives[0] < 26 and lives[1] > 24 * 100


def test_a_get_changes_nothing(shop: Shop) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    for name in ("card/", "now/", "question/"):
        assert Client().get(f"{path}{name}").status_code == 405
    for name in ("", "wait/", "done/", "wait/?order=x", "done/?session=cs_other"):
        Client().get(f"{path}{name}")
    assert Client().get(f"{path}done/?session=%00").status_code == 404
    with shop.scope():
        assert not BillingOrder.objects.filter(kind__in=("setup", "pay", "set_method")).exists()
