"""The flood: every message once to five times, by many clients, in any order; the mirror ends as if in order."""

import random
import threading
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.gateways.stripe.events import sign
from accounts.models import (
    BillingCustomer,
    BillingMessage,
    Invoice,
    MrrMovement,
    PaymentAttempt,
    Subscription,
    Workspace,
)
from accounts.services.billing_inbox import store
from cs_platform.lib.database_clock import database_now
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.billing.conftest import SECRET, connect
from tests.accounts.billing.flood import bodies_of, drain, events_of
from tests.accounts.billing.lives import Life, whole_state

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 16


def world(fake: Any, events: int) -> None:
    """Customers whose cards fail in several ways; renewals, refunds, cancellations until there are enough events."""
    plans = [["ok"], ["insufficient_funds", "ok"], ["stolen_card"], ["ok", "insufficient_funds"]]
    client = fake.client()
    while fake.control("GET", "count", kind="event")["count"] < events:
        made = fake.seed(4, plans=plans, subscriptions=True)
        client.v1.subscriptions.cancel(made["subscriptions"][0])
        subscription = client.v1.subscriptions.retrieve(made["subscriptions"][3])
        item = subscription.to_dict()["items"]["data"][0]["id"]
        client.v1.subscriptions.update(made["subscriptions"][3], {"items": [{"id": item, "quantity": 3}]})
        for invoice in client.v1.invoices.list({"subscription": made["subscriptions"][1]}).data:
            if invoice.status == "open":
                client.v1.invoices.pay(invoice.id)


def flood(address: str, bodies: list[bytes], chance: random.Random) -> list[int]:
    """Deliver each one to five times, shuffled, by sixteen clients; returns the answers' statuses."""
    work = [body for body in bodies for _ in range(chance.randint(1, 5))]
    chance.shuffle(work)
    answers: list[int] = []

    def send(mine: list[bytes]) -> None:
        client = Client()
        for body in mine:
            header = {"Stripe-Signature": sign(body, SECRET, timezone.now())}
            answer = client.post(address, body, content_type="application/json", headers=header)
            answers.append(answer.status_code)
        connections.close_all()

    threads = [threading.Thread(target=send, args=(work[number::CLIENTS],)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(work)
    return answers


def state(workspace: Workspace) -> dict[str, Any]:
    """What the mirror says, without ids of ours and without when it learnt it."""
    with workspace_scope(workspace.pk):
        return {
            "customers": sorted(BillingCustomer.objects.values_list("external_id", "name", "default_method")),
            "subscriptions": sorted(
                Subscription.objects.values_list(
                    "external_id", "status", "mrr_minor", "seats", "ended_at", "ended_cause"
                )
            ),
            "invoices": sorted(
                Invoice.objects.values_list(
                    "external_id", "status", "amount_minor", "amount_paid_minor", "paid_at"
                )
            ),
            "attempts": sorted(
                PaymentAttempt.objects.values_list("external_id", "number", "status", "decline_code")
            ),
            "mrr": sum(MrrMovement.objects.values_list("amount_minor", flat=True)),
        }


@pytest.mark.parametrize(
    ("events", "orders"),
    [(40, 1), pytest.param(1000, 5, marks=pytest.mark.soak)],
    ids=["quick", "long"],
)
def test_any_order_and_any_repetition_end_the_same(cast, stripe_address, events, orders):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    world(stripe_address, events)
    bodies = bodies_of(stripe_address)
    connect(cast)
    connect(cast, workspace=cast.other)
    in_order = run_in(cast.other, bodies, None)
    assert in_order["attempts"] and in_order["mrr"] > 0
    for _ in range(orders):
        shuffled = run_in(cast.workspace, bodies, chance)
        assert shuffled == in_order
    print(f"{len(bodies)} events, {orders} orders, all end as in order")


@pytest.mark.parametrize(
    ("worlds", "orders"), [(1, 4), pytest.param(20, 50, marks=pytest.mark.soak)], ids=["quick", "long"]
)
def test_many_orders_of_small_worlds_end_the_same(cast, stripe_address, worlds, orders):
    """Many permutations are affordable when each is small: messages of one life, 1 to 5 times, worked on between."""
    seed = 11 if worlds == 1 else random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    connect(cast)
    connect(cast, workspace=cast.other)
    told = 0
    for _ in range(worlds):
        stripe_address.reset()
        stripe_address.freeze(int(timezone.now().timestamp()) - 100)
        life = Life(stripe_address, chance)
        for _ in range(3):
            life.step()
            stripe_address.advance(seconds=5)
        events = events_of(stripe_address)
        in_order = told_in(cast.other, events, None)
        for _ in range(orders):
            assert told_in(cast.workspace, events, chance) == in_order, seed
        told += len(events)
        print(f"{len(events)} messages in {orders} orders")
    print(f"{worlds} worlds with {told} messages, {worlds * orders} orders, all end as in order")


def told_in(
    workspace: Workspace, events: list[dict[str, Any]], chance: random.Random | None
) -> dict[str, Any]:
    """The final state after these messages, in order and once (no chance) or not; begun in an empty workspace."""
    empty(workspace)
    work = list(events)
    if chance is not None:
        work = [one for one in events for _ in range(chance.randint(1, 5))]
        chance.shuffle(work)
    pauses = chance.sample(range(len(work)), 2) if chance else []
    for number, event in enumerate(work):
        with workspace_scope(workspace.pk):
            store(event, received_at=database_now())
        if number in pauses:
            drain()
    drain()
    with workspace_scope(workspace.pk):
        assert BillingMessage.objects.count() == len(events)
        assert not BillingMessage.objects.filter(processed_at__isnull=True).exists()
    return whole_state(workspace, is_discounted=False)


def empty(workspace: Workspace) -> None:
    """Nothing of the provider is here any more."""
    with workspace_scope(workspace.pk):
        for model in (BillingMessage, PaymentAttempt, Invoice, MrrMovement, Subscription, BillingCustomer):
            model.objects.all().delete()


def run_in(workspace: Workspace, bodies: list[bytes], chance: random.Random | None) -> dict[str, Any]:
    """The final state after delivering everything, in order (no chance) or not; the workspace is emptied first."""
    empty(workspace)
    address = f"/webhooks/stripe/{workspace.public_id}/"
    if chance is None:
        for body in bodies:
            header = {"Stripe-Signature": sign(body, SECRET, timezone.now())}
            Client().post(address, body, content_type="application/json", headers=header)
        drain(1)
    else:
        answers = flood(address, bodies, chance)
        assert set(answers) == {200}
        drain(4)
    with workspace_scope(workspace.pk):
        messages = BillingMessage.objects.all()
        assert messages.count() == len(bodies)
        assert not messages.filter(processed_at__isnull=True).exists()
    return state(workspace)
