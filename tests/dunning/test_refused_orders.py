"""What the provider would not do at the end of a case, or at its beginning, comes before a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import BillingOrder, Invoice, OrderKind, PaymentAttempt, Subscription
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from dunning.services.cases import look_at_invoice, open_case
from dunning.services.policies import version_in_force
from health.models import QueueItem
from tests.accounts.web import web
from tests.builders import make_state, make_subscription
from tests.dunning.engine import world as engine_world
from tests.dunning.notices.world import failed, owing
from tests.dunning.pay.world import Shop
from tests.fake_stripe.running import FakeStripe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(fake_stripe: FakeStripe, cast: Any, settings: Any) -> Shop:
    settings.STRIPE_API_BASE = fake_stripe.url
    with workspace_scope(cast.workspace.pk):
        engine_world.connect(per_second=1000)
        engine_world.no_notices()
    return Shop(fake_stripe, cast)


def ends_with(state: str) -> None:
    version = version_in_force()
    version.definition |= {"end_state": state}
    version.save()


def gone(case: DunningCase) -> Subscription:
    """Its subscription is not there at the provider."""
    made = make_subscription(case.account, provider="stripe", external_id="sub_gone")
    Invoice.objects.update(subscription=made)
    return made


def test_a_refused_end_comes_before_the_csm_and_stands_on_the_page(shop: Shop) -> None:
    with shop.scope():
        ends_with("cancel")
    [case] = shop.failed("insufficient_funds")
    with shop.scope():
        make_state(case.account)
        gone(case)
    with time_machine.travel(timezone.now() + timedelta(days=29), tick=True):
        shop.work(rounds=3)
        with shop.scope():
            item = QueueItem.objects.get(closed_at=None)
            assert (item.evidence["act"], item.evidence["code"]) == ("cancel", "resource_missing")
            assert shop.again(case).state == "uncollectible" and engine_world.unexplained() == []
        browser = web(shop.cast.ben.user)
        page = browser.get(f"/dunning/cases/{case.public_id}/").content.decode()
        assert "Cancel a subscription – it does not exist there (any more) (resource_missing)." in page
        assert "needs a person" in browser.get("/dunning/?state=all").content.decode()
        account = browser.get(f"/accounts/{case.account.public_id}/").content.decode()
        assert "Cancel the subscription at the payment provider" in account
        with shop.scope():  # paid after all: nobody needs to end anything
            Invoice.objects.update(status="paid")
            look_at_invoice(case.invoice_id, now=timezone.now())
            assert not QueueItem.objects.filter(closed_at=None).exists()


def test_locks_and_slow_down_are_tried_again_by_themselves(shop: Shop) -> None:
    with shop.scope():
        invoice = engine_world.fail(shop.fake, [["insufficient_funds"]], 1)[0]
        Invoice.objects.update(is_auto_advance=True)
        invoice.refresh_from_db()
        case = open_case(invoice, now=timezone.now())
        assert case is not None
    shop.fake.fault("conflict", path="/v1/invoices/*", next=1)
    shop.work()
    shop.fake.fault("rate_limit", path="/v1/invoices/*", next=1)
    shop.work(rounds=3)
    with shop.scope():
        assert BillingOrder.objects.get(kind=OrderKind.TAKE_OVER).state == "succeeded"
        assert not QueueItem.objects.exists()


def test_retries_that_could_not_be_taken_over_are_told_until_the_case_ends(shop: Shop) -> None:
    with shop.scope():
        account, _person = owing()
        make_state(account)
        invoice = failed(account, code="insufficient_funds", at=timezone.now())
        Invoice.objects.update(
            provider="stripe", is_auto_advance=True, collection_method="charge_automatically"
        )
        invoice.refresh_from_db()  # the provider does not know it
        case = open_case(invoice, now=timezone.now())
        assert case is not None
    shop.work()
    with shop.scope():
        item = QueueItem.objects.get(closed_at=None)
        assert item.evidence["act"] == "take_over"
        page = web(shop.cast.ben.user).get(f"/accounts/{case.account.public_id}/").content.decode()
        assert "both try to charge it" in page
        Invoice.objects.update(status="void")
        look_at_invoice(invoice.pk, now=timezone.now())
        assert not QueueItem.objects.filter(closed_at=None).exists()


def test_without_a_provider_the_end_is_a_persons_from_the_start(scope: Any) -> None:
    ends_with("cancel")
    account, _person = owing()
    make_state(account)
    now = timezone.now()
    invoice = failed(account, code="insufficient_funds", at=now, subscription=make_subscription(account))
    PaymentAttempt.objects.update(attempted_at=now)
    case = open_case(invoice, now=now)
    assert case is not None
    from dunning.services.case_work import look_at_case

    look_at_case(case.pk, now=now + timedelta(days=29))
    item = QueueItem.objects.get(closed_at=None, source__startswith="dunning_refused:")
    assert (item.evidence["act"], item.evidence["code"]) == ("cancel", "by_hand")
    assert BillingOrder.objects.get(kind=OrderKind.CANCEL).state == "by_hand"
    assert engine_world.unexplained() == []
