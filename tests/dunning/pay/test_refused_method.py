"""The provider would not put the new card where the failed one sat: it is charged by name, and a CSM is asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.gateways.stripe.client import BillingError
from accounts.models import BillingOrder, OrderKind
from accounts.services import billing_order_running
from dunning.services import case_verbs
from health.models import QueueItem
from tests.builders import make_state
from tests.dunning.engine import world as engine_world
from tests.dunning.pay.test_card import press_card
from tests.dunning.pay.world import Shop, page_of_stripe, path_of, save_card

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unwilling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider takes no default method."""
    act = billing_order_running.act

    def refuse(gateway: Any, request: Any) -> Any:
        if request.kind == OrderKind.SET_METHOD:
            raise BillingError("HTTP 400", permanent=True, http_status=400, code="payment_method_unactivated")
        return act(gateway, request)

    monkeypatch.setattr(billing_order_running, "act", refuse)


def test_it_is_charged_by_name_once_and_a_csm_sets_it(shop: Shop, unwilling: None) -> None:
    [case] = shop.failed("expired_card")
    with shop.scope():
        make_state(case.account)
    path = shop.link(case, shop.person(case))
    back = path_of(save_card(page_of_stripe(Client(), press_card(shop, path))))
    shop.work(4)
    with shop.scope():
        refused = BillingOrder.objects.get(kind=OrderKind.SET_METHOD)
        charge = BillingOrder.objects.get(kind=OrderKind.PAY)
        assert (refused.state, charge.state, charge.made_by) == ("failed", "succeeded", "person")
        assert charge.parameters["payment_method"] == charge.method == refused.method
        assert charge.key == f"{case.invoice.external_id}:{charge.number}"
        item = QueueItem.objects.get(closed_at=None)  # the next payment would fail again
        assert item.evidence["act"] == "set_method"
        assert engine_world.disagreements(shop.fake) == {} and engine_world.unexplained() == []
    paid = shop.again(case)
    assert (paid.state, paid.recovered_by) == ("recovered", "notice")
    assert "Everything is paid for" in Client().get(back).content.decode()


def test_where_that_charge_fails_too_the_page_says_so(shop: Shop, unwilling: None) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    back = path_of(save_card(page_of_stripe(Client(), press_card(shop, path)), "4000000000000341"))
    shop.work(4)
    page = Client().get(back).content.decode()
    assert "The payment did not go through" in page
    with shop.scope():
        assert BillingOrder.objects.filter(kind=OrderKind.PAY).count() == 1  # once
        assert QueueItem.objects.filter(closed_at=None, source__contains="set_method").exists()


def test_a_stopped_case_is_not_charged(shop: Shop, unwilling: None) -> None:
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    with shop.scope():
        case_verbs.stop(case=case, acting_user=shop.cast.ada, now=timezone.now())
    back = path_of(save_card(page_of_stripe(Client(), press_card(shop, path))))
    shop.work(4)
    with shop.scope():
        assert not BillingOrder.objects.filter(kind=OrderKind.PAY).exists()
        assert QueueItem.objects.filter(closed_at=None, source__contains="set_method").exists()
    assert "could not be saved" in Client().get(back).content.decode()


def test_put_in_place_after_all_nobody_is_asked(shop: Shop, unwilling: None, monkeypatch: Any) -> None:
    [case] = shop.failed("expired_card", "expired_card", "expired_card")
    path = shop.link(case, shop.person(case))
    save_card(page_of_stripe(Client(), press_card(shop, path)), "4000000000000341")
    shop.work(4)
    monkeypatch.undo()
    monkeypatch.setattr("django.conf.settings.STRIPE_API_BASE", shop.fake.url)
    save_card(page_of_stripe(Client(), press_card(shop, path)))
    shop.work(4)
    with shop.scope():
        assert not QueueItem.objects.filter(closed_at=None, source__contains="set_method").exists()
