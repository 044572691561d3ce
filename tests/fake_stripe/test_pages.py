"""The hosted pages: amounts of every kind of currency, and Korean wherever a page has words."""

import re

import pytest

from fake_stripe.cards import TEST_CARDS
from fake_stripe.control.steering import set_settings
from fake_stripe.objects.payment_methods import OTHERS
from fake_stripe.pages.cards_form import fields
from fake_stripe.pages.korean import in_korean
from fake_stripe.pages.layout import money, page
from fake_stripe.session import Session
from fake_stripe.store import Store
from fake_stripe.world import World


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (4900, "usd", "49.00 USD"),
        (4900, "krw", "4,900 KRW"),
        (4900, "jpy", "4,900 JPY"),
        (15250, "kwd", "15.250 KWD"),
    ],
)
def test_amounts(amount, currency, shown):
    assert money(amount, currency) == shown


def test_every_choice_of_the_form_is_korean():
    text = in_korean(page("Save a payment method", fields(["card", *OTHERS]))).decode()
    options = re.findall(r"<option[^>]*>([^<]+)<", text)
    assert len(options) == len(TEST_CARDS) + 2 * len(OTHERS)
    assert [one for one in options if not re.search("[가-힣]", one)] == []
    assert 'lang="ko"' in text


def test_settings_outlive_a_restart():
    store = Store(":memory:")
    set_settings(Session(World(store)), {"business_name": "Tidemark"})
    assert World(store).settings["business_name"] == "Tidemark"
