"""What the provider would not do is asked of it once more, by a person, once per refusal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.gateways.stripe.client import BillingError
from accounts.models import AuditEntry, BillingOrder, Invoice, OrderKind, PaymentMethod, Subscription
from accounts.services import billing_order_running
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from dunning.services.cases import look_at_subscription
from health.models import QueueItem
from tests.accounts.web import web
from tests.builders import make_state
from tests.dunning.engine import world as engine_world
from tests.dunning.pay.test_card import press_card
from tests.dunning.pay.world import Shop, page_of_stripe, save_card
from tests.dunning.test_refused_orders import ends_with
from tests.fake_stripe.running import FakeStripe

pytestmark = pytest.mark.django_db(transaction=True)
REFUSES_LATER = "4000000000000341"  # is saved, and refused when it is charged


class Provider:
    """The fake, which does not do the named acts while they are in `refuses`."""

    def __init__(self) -> None:
        self.refuses: set[str] = set()
        self.asked: list[str] = []
        self._act = billing_order_running.act

    def __call__(self, gateway: Any, request: Any) -> Any:
        self.asked.append(request.key)
        if request.kind in self.refuses:
            raise BillingError("HTTP 400", permanent=True, http_status=400, code="not_now")
        return self._act(gateway, request)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    made = Provider()
    monkeypatch.setattr(billing_order_running, "act", made)
    return made


@pytest.fixture
def shop(fake_stripe: FakeStripe, cast: Any, settings: Any) -> Shop:
    settings.STRIPE_API_BASE = fake_stripe.url
    with workspace_scope(cast.workspace.pk):
        engine_world.connect(per_second=1000)
        engine_world.no_notices()
    return Shop(fake_stripe, cast)


@pytest.fixture
def case(shop: Shop, provider: Provider) -> Iterator[DunningCase]:
    """Over, and the provider would not cancel its subscription; a month later."""
    provider.refuses = {OrderKind.CANCEL}
    with shop.scope():
        ends_with("cancel")
    made = shop.subscription_failed()
    with shop.scope():
        make_state(made.account)
    with time_machine.travel(timezone.now() + timedelta(days=29), tick=True):
        shop.work(3)
        with shop.scope():
            assert BillingOrder.objects.get(kind=OrderKind.CANCEL).state == "failed"
        yield shop.again(made)


def offered(browser: Client, case: DunningCase) -> str:
    """The order that the case's page offers to try again; empty when it offers none."""
    page = browser.get(f"/dunning/cases/{case.public_id}/").content.decode()
    found = re.search(r"/tries/new/\?order=([0-9a-f-]{36})", page)
    return found[1] if found else ""


def press(browser: Client, case: DunningCase, order: str) -> str:
    """What the page says after the act."""
    answer = browser.post(f"/dunning/cases/{case.public_id}/tries/", {"order": order}, follow=True)
    return str(answer.content.decode())


def test_it_is_ordered_anew_once_and_done(shop: Shop, provider: Provider, case: DunningCase) -> None:
    browser, order = web(shop.cast.ben.user), offered(web(shop.cast.ben.user), case)
    form = browser.get(f"/dunning/cases/{case.public_id}/tries/new/", {"order": order}).content.decode()
    assert "Not done by the payment provider: Cancel a subscription" in form
    assert "ends at the payment provider at once" in form
    provider.refuses = set()
    assert "Ordered again" in press(browser, case, order)
    assert "tried again already" in press(browser, case, order)  # a second press, a second window
    assert offered(browser, case) == ""
    shop.work(2)
    with shop.scope():
        first, second = BillingOrder.objects.filter(kind=OrderKind.CANCEL).order_by("pk")
        assert (first.state, second.state, second.made_by) == ("failed", "succeeded", "csm")
        assert second.key != first.key and second.created_by == shop.cast.ben.user
        assert not QueueItem.objects.filter(closed_at=None).exists()
        said = [step.detail["text"] for step in case.steps.filter(kind="note").order_by("number")][-2:]
        assert said == [
            "Tried again: Cancel a subscription.",
            "Done by the payment provider: Cancel a subscription.",
        ]
        assert AuditEntry.objects.filter(action="dunning.case.tried_again", object_id=case.pk).count() == 1
        assert engine_world.unexplained() == []
        stands = shop.fake.client().v1.subscriptions.retrieve(case.invoice.subscription.external_id)
    assert stands.status == "canceled"


def test_refused_again_it_is_offered_again_and_no_old_form_counts(
    shop: Shop, provider: Provider, case: DunningCase
) -> None:
    browser = web(shop.cast.ben.user)
    order = offered(browser, case)
    press(browser, case, order)
    shop.work(2)
    again = offered(browser, case)
    assert again not in ("", order)
    assert "tried again already" in press(browser, case, order)
    with shop.scope():
        assert BillingOrder.objects.filter(kind=OrderKind.CANCEL).count() == 2
        assert QueueItem.objects.filter(closed_at=None, source__contains=":cancel").count() == 1
    assert (
        web(shop.cast.vera.user).post(f"/dunning/cases/{case.public_id}/tries/", {"order": again}).status_code
        == 403
    )
    assert "no longer stands" in press(browser, case, "not-an-order")


def test_what_is_done_by_hand_or_settled_is_not_tried(
    shop: Shop, provider: Provider, case: DunningCase
) -> None:
    browser = web(shop.cast.ben.user)
    order = offered(browser, case)
    with shop.scope():
        Subscription.objects.update(ended_at=timezone.now())
    assert offered(browser, case) == ""
    assert "no longer needed" in press(browser, case, order)
    with shop.scope():
        look_at_subscription(case.invoice.subscription_id)
    shop.work()
    with shop.scope():
        assert not QueueItem.objects.filter(closed_at=None, source__contains=":cancel").exists()
    assert "no longer stands" in press(browser, case, order)
    with shop.scope():
        assert BillingOrder.objects.filter(kind=OrderKind.CANCEL).count() == 1


def test_an_uncollectible_invoice_leaves_the_subscription_to_be_canceled(
    shop: Shop, provider: Provider, case: DunningCase
) -> None:
    with shop.scope():
        Invoice.objects.filter(pk=case.invoice_id).update(status="uncollectible")
        look_at_subscription(case.invoice.subscription_id)
    shop.work()
    assert offered(web(shop.cast.ben.user), case)


def test_a_method_is_tried_again_without_charging_it_again(shop: Shop, provider: Provider) -> None:
    provider.refuses = {OrderKind.SET_METHOD}
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    save_card(page_of_stripe(Client(), press_card(shop, path)), REFUSES_LATER)
    shop.work(4)
    browser = web(shop.cast.ben.user)
    for refuses in ({OrderKind.SET_METHOD}, set()):
        order = offered(browser, case)
        assert order
        provider.refuses = refuses
        press(browser, case, order)
        shop.work(4)
        with shop.scope():
            charges = BillingOrder.objects.filter(kind=OrderKind.PAY)
            assert [one.state for one in charges] == ["failed"]  # by name, when it was refused first
    with shop.scope():
        case.refresh_from_db()
        assert not QueueItem.objects.filter(closed_at=None, source__contains="set_method").exists()
        assert case.state == "open" and engine_world.unexplained() == []
        default = case.invoice.customer.default_method
        assert PaymentMethod.objects.get(external_id=default).last4 == REFUSES_LATER[-4:]


def test_a_method_that_its_bank_refused_for_good_is_not_made_the_default(
    shop: Shop, provider: Provider
) -> None:
    provider.refuses = {OrderKind.SET_METHOD}
    [case] = shop.failed("expired_card")
    path = shop.link(case, shop.person(case))
    save_card(page_of_stripe(Client(), press_card(shop, path)), REFUSES_LATER)
    shop.work(4)
    browser = web(shop.cast.ben.user)
    order = offered(browser, case)
    with shop.scope():
        PaymentMethod.objects.update(blocked_at=timezone.now())
    assert order and offered(browser, case) == ""
    assert "refused this payment method for good" in press(browser, case, order)
