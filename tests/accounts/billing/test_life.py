"""One customer's life while messages of it come late, twice and in any order: the mirror ends as Stripe says."""

import json
import random

import pytest
from django.utils import timezone

from accounts.models import BillingMessage, BillingSync, Invoice, PaymentAttempt, Subscription
from accounts.services.billing_inbox import store
from accounts.services.billing_syncs import begin_sync
from cs_platform.lib.database_clock import database_now
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.billing.conftest import connect
from tests.accounts.billing.flood import drain, events_of
from tests.accounts.billing.test_flood import empty, state

pytestmark = pytest.mark.django_db(transaction=True)


def steps(fake, made):
    """What happens to the customer, one thing after the other."""
    v1, sub = fake.client().v1, made["subscriptions"][0]
    item = v1.subscriptions.retrieve(sub).to_dict()["items"]["data"][0]["id"]
    first = v1.subscriptions.retrieve(sub).to_dict()["latest_invoice"]
    yield lambda: v1.invoices.pay(first)
    yield lambda: v1.subscriptions.update(sub, {"items": [{"id": item, "quantity": 4}]})
    yield lambda: v1.customers.update(made["customers"][0], {"name": "Northwind Trading"})
    yield lambda: v1.subscriptions.update(sub, {"cancel_at_period_end": True})
    yield lambda: v1.subscriptions.update(sub, {"cancel_at_period_end": False})
    yield lambda: v1.subscriptions.cancel(sub, {"cancellation_details": {"feedback": "unused"}})


@pytest.mark.parametrize("lives", [2, pytest.param(200, marks=pytest.mark.soak)], ids=["quick", "long"])
def test_late_messages_while_life_goes_on(cast, stripe_address, lives):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    connect(cast)
    witness = connect(cast, workspace=cast.other)
    for life in range(lives):
        stripe_address.reset()
        empty(cast.workspace)
        empty(cast.other)
        made = stripe_address.seed(1, plans=[["insufficient_funds", "ok"]], subscriptions=True)
        told: set[str] = set()
        for step in steps(stripe_address, made):
            tell(cast.workspace, events_of(stripe_address), told, chance, share=0.5)
            step()
        tell(cast.workspace, events_of(stripe_address), told, chance, share=1.0)
        drain()
        with workspace_scope(cast.other.pk):
            begin_sync(witness, BillingSync.Kind.FIRST, now=timezone.now())
        drain()
        assert state(cast.workspace) == state(cast.other), life
    with workspace_scope(cast.workspace.pk):
        assert Subscription.objects.get().ended_cause == "voluntary"
        assert {i.status for i in Invoice.objects.all()} == {"paid"}
        assert PaymentAttempt.objects.filter(status="failed").count() == 1
        left = BillingMessage.objects.filter(processed_at__isnull=True)
        assert list(left.values_list("message_type", "object_id", "failures", "last_error")) == []
    print(f"{lives} lives, all end as Stripe says")


def tell(workspace, events, told: set[str], chance: random.Random, *, share: float) -> None:
    """Deliver some of what was not told yet, some of it twice, shuffled; now and then somebody works on it."""
    late = [event for event in events if event["id"] not in told]
    chosen = [event for event in late if share == 1.0 or chance.random() < share]
    again = [event for event in events if chance.random() < 0.2]
    chance.shuffle(chosen)
    for event in chosen + again:
        with workspace_scope(workspace.pk):
            store(event, body=json.dumps(event).encode(), received_at=database_now())
        told.add(event["id"])
        if chance.random() < 0.3:
            drain()
