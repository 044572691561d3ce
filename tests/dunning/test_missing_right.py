"""The key lacks a right: admins hear it once, by its name; the case says why it waits; then it goes on by itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.gateways.stripe.rights import check_key
from accounts.models import BillingConnection, BillingOrder, Notification
from accounts.services.billing_connections import note_rights
from accounts.services.billing_rights import MISSING_KIND
from cs_platform.lib.scoping import workspace_scope
from dunning.services import case_verbs
from tests.accounts.web import web
from tests.dunning.engine import world as engine_world
from tests.dunning.pay.world import Shop
from tests.fake_stripe.running import FakeStripe

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "rk_test_narrow"
READS = ("customer", "subscription", "invoice", "charge", "payment_intent", "payment_method", "event")


@pytest.fixture
def shop(fake_stripe: FakeStripe, cast: Any, settings: Any) -> Shop:
    settings.STRIPE_API_BASE = fake_stripe.url
    with workspace_scope(cast.workspace.pk):
        engine_world.connect(per_second=1000)
        engine_world.no_notices()
    return Shop(fake_stripe, cast)


def may(shop: Shop, **more: str) -> None:
    rights = dict.fromkeys(READS, "read") | more
    shop.fake.control("POST", "keys", key=KEY, permissions=rights)
    with shop.scope():
        found = BillingConnection.objects.get()
        found.api_key = KEY
        found.save()


def test_a_charge_waits_for_its_right_and_goes_on_with_it(shop: Shop) -> None:
    first, second = shop.failed("insufficient_funds", "ok", count=2)
    may(shop)
    with shop.scope():
        for case in (first, second):
            case_verbs.retry_now(case=case, acting_user=shop.cast.ada, now=timezone.now())
    shop.work(rounds=3)
    with shop.scope():
        order = BillingOrder.objects.get(invoice=first.invoice)
        assert (order.state, order.sends, order.error_code) == ("planned", 0, "no_right:invoice_write")
        told = Notification.objects.filter(kind=MISSING_KIND, membership__user=shop.cast.ada)
        assert [row.context["right"] for row in told] == ["Invoices: Write"]  # once, for two charges
        assert BillingConnection.objects.get().missing == ["invoice_write"]
    page = web(shop.cast.ada).get(f"/dunning/cases/{first.public_id}/").content.decode()
    assert "lacks the right Invoices: Write" in page and "/settings/billing/" in page
    assert "lacks a right: Invoices: Write" in web(shop.cast.ada).get("/notifications/").content.decode()
    may(shop, invoice="write")
    with shop.scope():
        note_rights(checked=check_key(KEY), now=timezone.now())
    from accounts.services.jobs import run_due_jobs

    run_due_jobs(limit=20)  # nobody waits for a quarter of an hour
    assert {shop.again(first).state, shop.again(second).state} == {"recovered"}
    with shop.scope():
        assert engine_world.disagreements(shop.fake) == {} and engine_world.unexplained() == []


def test_a_right_that_is_lost_again_is_told_again(shop: Shop) -> None:
    [case] = shop.failed("insufficient_funds", "insufficient_funds", "ok")
    for expected in (1, 2):
        may(shop)
        with shop.scope():
            BillingOrder.objects.all().delete()
            BillingConnection.objects.update(missing=[])  # looked at meanwhile, and whole
            case.steps.exclude(kind="opened").delete()
        _order(shop, case)
        shop.work()
        with shop.scope():
            told = Notification.objects.filter(kind=MISSING_KIND, membership__user=shop.cast.ada)
            assert told.count() == expected


def _order(shop: Shop, case: Any) -> None:
    with shop.scope():
        case_verbs.retry_now(case=case, acting_user=shop.cast.ada, now=timezone.now())


def test_a_key_that_is_not_taken_is_told_too(shop: Shop) -> None:
    [case] = shop.failed("insufficient_funds", "ok")
    with shop.scope():
        found = BillingConnection.objects.get()
        found.api_key = "sk_test_gone"
        found.save()
    _order(shop, case)
    shop.work(rounds=2)
    with shop.scope():
        assert BillingConnection.objects.get().refused_at is not None
        told = Notification.objects.filter(
            kind="accounts.billing_key_refused", membership__user=shop.cast.ada
        )
        assert told.count() == 1 and BillingOrder.objects.get().state == "planned"
