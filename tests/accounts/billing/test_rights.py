"""A key that lacks a right: named once, everything else goes on, and with the right what was missed is read."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import (
    BillingConnection,
    BillingDifference,
    BillingMessage,
    BillingSync,
    Invoice,
    Job,
    Notification,
    PaymentAttempt,
    Subscription,
)
from accounts.services.billing_reconcile import request_reconciliations
from accounts.services.billing_rights import MISSING_KIND
from accounts.services.billing_syncs import begin_sync
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.billing.conftest import connect
from tests.accounts.billing.flood import bodies_of, drain
from tests.accounts.billing.test_page import ALL

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "rk_test_narrow"


def may_all_but(fake: Any, *names: str) -> None:
    fake.control("POST", "keys", key=KEY, permissions={k: v for k, v in ALL.items() if k not in names})


def walk(cast: Any, connection: BillingConnection, kind: str, hours: float = 0) -> BillingSync:
    with workspace_scope(cast.workspace.pk):
        sync = begin_sync(connection, kind, now=timezone.now() + timedelta(hours=hours))
    drain()
    with workspace_scope(cast.workspace.pk):
        sync.refresh_from_db()
    assert (sync.state, sync.error) == ("done", "")
    return sync


def told(cast: Any) -> list[str]:
    rows = Notification.objects.filter(kind=MISSING_KIND, membership__user=cast.ada)
    return [row.context["right"] for row in rows.order_by("pk")]


def an_hour_later(cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        BillingSync.objects.update(started_at=timezone.now() - timedelta(hours=2))
    assert request_reconciliations(timezone.now()) >= 1
    drain()


def test_without_a_right_all_else_goes_on_and_with_it_the_rest_is_read(cast, stripe_address, deliver):
    connected = connect(cast, api_key=KEY)
    may_all_but(stripe_address, "charge")
    made = stripe_address.seed(3, plans=[["insufficient_funds", "ok"]], subscriptions=True)
    walk(cast, connected, "first")
    for invoice in made["invoices"]:
        stripe_address.client().v1.invoices.pay(invoice)
    for body in bodies_of(stripe_address):
        assert deliver(body) == 200
    drain()
    with workspace_scope(cast.workspace.pk):
        assert (Subscription.objects.count(), Invoice.objects.count()) == (3, 3)
        assert PaymentAttempt.objects.count() == 0
        assert (BillingConnection.objects.get().missing, told(cast)) == (
            ["charge_read"],
            ["Charges and Refunds: Read"],
        )
        assert not BillingMessage.objects.filter(processed_at__isnull=True).exists(), "nothing is set aside"
        assert not Job.objects.filter(workspace=cast.workspace, kind="accounts.billing_message").exists()
    page = Client()
    page.force_login(cast.ada)
    assert "Charges and Refunds: <strong>Read" in page.get("/settings/billing/").content.decode()
    an_hour_later(cast)
    may_all_but(stripe_address)
    an_hour_later(cast)
    with workspace_scope(cast.workspace.pk):
        assert BillingConnection.objects.get().missing == []
        assert {row.status for row in Invoice.objects.all()} == {"paid"}
        assert PaymentAttempt.objects.filter(status="failed").count() == 3
        assert PaymentAttempt.objects.filter(status="succeeded").count() == 3
        assert len(told(cast)) == 1


def test_a_list_that_may_not_be_read_is_not_compared(cast, stripe_address):
    connected = connect(cast, api_key=KEY)
    may_all_but(stripe_address)
    stripe_address.seed(2, plans=[["ok"]], subscriptions=True)
    walk(cast, connected, "first")
    may_all_but(stripe_address, "invoice", "event")
    with workspace_scope(cast.workspace.pk):
        Subscription.objects.filter(pk=Subscription.objects.latest("pk").pk).update(status="past_due")
        Invoice.objects.update(status="void")
    walk(cast, connected, "ledger", hours=1)
    with workspace_scope(cast.workspace.pk):
        assert [row.kind for row in BillingDifference.objects.all()] == ["status"]
        assert BillingDifference.objects.get().resolved_at is not None
        assert told(cast) == ["Invoices: Write"]


def test_messages_that_may_not_be_listed_are_read_to_where_they_were(cast, stripe_address):
    connected = connect(cast, api_key=KEY)
    may_all_but(stripe_address, "event")
    walk(cast, connected, "first")
    with workspace_scope(cast.workspace.pk):
        before = BillingConnection.objects.get().events_read_to
    an_hour_later(cast)
    an_hour_later(cast)
    with workspace_scope(cast.workspace.pk):
        found = BillingConnection.objects.get()
        assert (found.events_read_to, found.missing, told(cast)) == (before, ["event_read"], ["Events: Read"])
    may_all_but(stripe_address)
    an_hour_later(cast)
    with workspace_scope(cast.workspace.pk):
        found = BillingConnection.objects.get()
        assert found.missing == [] and found.events_read_to > before
