"""What Stripe says ends in the mirror: customers, plans, subscriptions with their MRR, invoices with their tries."""

import pytest
from django.utils import timezone

from accounts.models import (
    Account,
    BillingCustomer,
    BillingSync,
    Invoice,
    MrrMovement,
    PaymentAttempt,
    PaymentMethod,
    Plan,
    Subscription,
)
from accounts.services.billing_syncs import begin_sync
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.billing.flood import drain

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
