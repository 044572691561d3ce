"""What Stripe says ends in the mirror: customers, plans, subscriptions with their MRR, invoices with their tries."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.gateways.stripe import reading
from accounts.models import (
    Account,
    BillingConnection,
    BillingCustomer,
    BillingSync,
    Invoice,
    MrrMovement,
    Notification,
    PaymentAttempt,
    PaymentMethod,
    Plan,
    Subscription,
)
from accounts.services import billing_syncs
from accounts.services.billing_inbox import store
from accounts.services.billing_messages import REFUSED_KIND
from accounts.services.billing_reconcile import request_reconciliations
from accounts.services.billing_syncs import begin_sync
from cs_platform.lib.database_clock import database_now
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.billing.flood import drain, due_now, events_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_first_synchronisation_brings_everything(cast, connected, stripe_address):
    made = stripe_address.seed(3, plans=[["insufficient_funds"], ["ok"]], subscriptions=True, amount=4900)
    with workspace_scope(cast.workspace.pk):
        begin_sync(connected, BillingSync.Kind.FIRST, now=timezone.now())
    drain()
    with workspace_scope(cast.workspace.pk):
        sync = BillingSync.objects.get(kind="first")
        assert (sync.state, sync.error) == ("done", "")
        assert (
            BillingCustomer.objects.count() == Account.objects.count() == PaymentMethod.objects.count() == 3
        )
        assert Plan.objects.get().list_mrr_minor == 4900
        statuses = dict(Subscription.objects.values_list("external_id", "status"))
        assert set(statuses) == set(made["subscriptions"])
        assert Invoice.objects.filter(status="open").count() == 2
        failed = PaymentAttempt.objects.filter(status="failed")
        assert [a.decline_code for a in failed] == ["insufficient_funds"] * 2
        assert MrrMovement.objects.filter(kind="new").count() >= 1


def test_a_walk_that_breaks_goes_on_behind_its_last_page(cast, connected, stripe_address, monkeypatch):
    stripe_address.seed(5, plans=[["ok"]], subscriptions=True)
    monkeypatch.setattr(reading, "PAGE", 2)
    monkeypatch.setattr(billing_syncs, "PAGES_A_TURN", 3)
    broken = {"prices": 1, "invoices": 2, "charges": 1}
    page = reading._page

    def breaking(gateway, name, parse, cursor, **asked):
        if cursor and broken.get(name, 0):
            broken[name] -= 1
            raise RuntimeError("the worker died")
        return page(gateway, name, parse, cursor, **asked)

    monkeypatch.setattr(reading, "_page", breaking)
    with workspace_scope(cast.workspace.pk):
        sync = begin_sync(connected, BillingSync.Kind.FIRST, now=timezone.now())
    for _ in range(8):
        due_now(cast.workspace)
        drain()
    with workspace_scope(cast.workspace.pk):
        sync.refresh_from_db()
        assert sync.state == "done" and not (broken["invoices"] or broken["charges"])
        assert sync.counts == {"prices": 1, "customers": 5, "subscriptions": 5, "invoices": 5, "charges": 5}
        assert Invoice.objects.count() == PaymentAttempt.objects.count() == 5
        assert BillingConnection.objects.get().events_read_to == sync.started_at


def test_a_refused_key_is_told_once_and_a_new_one_goes_on(cast, connected, stripe_address):
    stripe_address.seed(1, plans=[["ok"]], subscriptions=True)
    stripe_address.control("POST", "keys", key="sk_test_fake", permissions="expired")
    with workspace_scope(cast.workspace.pk):
        begin_sync(connected, BillingSync.Kind.FIRST, now=timezone.now())
    drain()
    assert request_reconciliations(timezone.now()) == 0, "nothing is begun with a key that is refused"
    with workspace_scope(cast.workspace.pk):
        assert BillingConnection.objects.get().refused_at is not None
        assert Notification.objects.filter(kind=REFUSED_KIND, membership__user=cast.ada).count() == 1
        BillingConnection.objects.update(api_key="sk_test_other", refused_at=None)
    stripe_address.control("POST", "keys", key="sk_test_other", permissions="all")
    assert request_reconciliations(timezone.now() + timedelta(hours=1)) == 1
    drain()
    with workspace_scope(cast.workspace.pk):
        assert Invoice.objects.get().status == "paid"


def test_a_discount_on_the_customer_counts_where_the_subscription_has_none(cast, connected, stripe_address):
    """Set, replaced and taken away after the first synchronisation; told by messages of the customer alone."""
    made = stripe_address.seed(1, plans=[["ok"]], subscriptions=True, amount=4900)
    v1, customer = stripe_address.client().v1, made["customers"][0]
    price = v1.subscriptions.retrieve(made["subscriptions"][0]).to_dict()["items"]["data"][0]["price"]["id"]
    half, ten = ({"percent_off": 50}, {"amount_off": 1000, "currency": "usd"})
    coupons = [v1.coupons.create({**one, "duration": "forever"}).id for one in (half, ten)]
    own = v1.subscriptions.create(
        {"customer": customer, "items": [{"price": price}], "discounts": [{"coupon": coupons[1]}]}
    )
    with workspace_scope(cast.workspace.pk):
        begin_sync(connected, BillingSync.Kind.FIRST, now=timezone.now())
    drain()
    told: set[str] = set()
    for coupon, expected in ((coupons[0], 2450), (coupons[1], 3900), (None, 4900)):
        stripe_address.control("POST", "discount", customer=customer, coupon=coupon)
        for event in events_of(stripe_address):
            if event["id"] not in told:
                told.add(event["id"])
                with workspace_scope(cast.workspace.pk):
                    store(event, received_at=database_now())
        drain()
        with workspace_scope(cast.workspace.pk):
            mrr = dict(Subscription.objects.values_list("external_id", "mrr_minor"))
            assert mrr == {made["subscriptions"][0]: expected, own.id: 3900}
            assert sum(MrrMovement.objects.values_list("amount_minor", flat=True)) == expected + 3900


def test_what_a_deleted_customer_left_behind_is_mirrored(cast, connected, stripe_address):
    made = stripe_address.seed(1, plans=[["ok"]], subscriptions=True)
    stripe_address.client().v1.customers.delete(made["customers"][0])
    with workspace_scope(cast.workspace.pk):
        begin_sync(connected, BillingSync.Kind.FIRST, now=timezone.now())
    drain()
    with workspace_scope(cast.workspace.pk):
        customer = BillingCustomer.objects.get()
        assert (customer.is_deleted, customer.account.external_id) == (True, made["customers"][0])
        assert Subscription.objects.get().status == "canceled"
        assert Invoice.objects.get().status == "paid"
