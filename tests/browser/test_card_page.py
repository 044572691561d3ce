"""From a failed payment to the thanks: the mail, the link, a new card on the provider's page, on a phone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail as outbox
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Complaints
from tests.dunning.pay.conftest import shop
from tests.dunning.pay.world import Shop

__all__ = ["shop"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_new_card_from_the_mail_to_the_thanks(
    phone: Page, shop: Shop, live_server: Any, settings: Any, complaints: Complaints
) -> None:
    complaints.expect("404")  # the provider's stand-in has no picture for the tab
    settings.BASE_URL = live_server.url
    [case] = shop.failed("expired_card")
    shop.person(case)
    shop.work(3)
    [notice] = outbox.outbox
    link = re.search(r"http://\S+/pay/\S+/", notice.body)
    assert notice.subject.endswith("did not go through") and link
    phone.goto(link[0])
    expect(phone.get_by_role("heading", name="A payment did not go through")).to_be_visible()
    assert violations(phone) == []
    phone.get_by_role("button", name="Pay with another card").click()
    expect(phone.get_by_role("heading", name="One moment")).to_be_visible()
    shop.work()
    phone.wait_for_url(re.compile("/checkout/"))
    phone.go_back()  # to the bill, not to a page that leads on again
    expect(phone.get_by_role("heading", name="A payment did not go through")).to_be_visible()
    phone.go_forward()
    phone.wait_for_url(re.compile("/checkout/"))
    phone.get_by_label("Or a card number of your own").fill("4242 4242 4242 4242")
    phone.get_by_role("button", name="Save").click()
    expect(phone.get_by_role("heading", name="Your payment is being made")).to_be_visible()
    assert violations(phone) == []
    shop.work(3)
    expect(phone.get_by_role("heading", name="Thank you")).to_be_visible()
    assert violations(phone) == []
    assert shop.again(case).recovered_by == "notice"
    assert outbox.outbox[-1].subject == "Received, thank you: $49"
    phone.goto(link[0])
    expect(phone.get_by_role("heading", name="Everything is paid")).to_be_visible()
