"""Messages that never arrived are found by asking; ledgers that differ are found and mended, and nothing else is."""

import json
import random
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.gateways.stripe import reading
from accounts.models import (
    BillingConnection,
    BillingCustomer,
    BillingDifference,
    BillingMessage,
    BillingSync,
    Invoice,
    Job,
    PaymentAttempt,
    PaymentMethod,
    Subscription,
)
from accounts.services.billing_inbox import MESSAGE_JOB
from accounts.services.billing_reconcile import request_reconciliations
from accounts.services.billing_syncs import SYNC_JOB, begin_sync
from cs_platform.lib.database_clock import database_now
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.billing.flood import bodies_of, drain
from tests.accounts.billing.test_flood import world

pytestmark = pytest.mark.django_db(transaction=True)


def walk(cast, connection, kind: str, hours: float = 0) -> BillingSync:
    """One whole walk of this kind, begun so many hours from now."""
    with workspace_scope(cast.workspace.pk):
        sync = begin_sync(connection, kind, now=timezone.now() + timedelta(hours=hours))
    drain()
    with workspace_scope(cast.workspace.pk):
        sync.refresh_from_db()
    assert (sync.state, sync.error) == ("done", "")
    return sync


@pytest.mark.parametrize("events", [40, pytest.param(5000, marks=pytest.mark.soak)], ids=["quick", "long"])
def test_messages_that_were_dropped_are_found_within_one_cycle(
    cast, connected, stripe_address, deliver, monkeypatch, events
):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    world(stripe_address, events)
    if events < 100:
        monkeypatch.setattr(reading, "PAGE", 10)  # several pages of the list
    bodies = bodies_of(stripe_address)
    dropped = set(chance.sample(range(len(bodies)), max(len(bodies) // 10, 1)))
    for number, body in enumerate(bodies):
        if number not in dropped:
            assert deliver(body) == 200
    drain(2)
    with workspace_scope(cast.workspace.pk):
        BillingConnection.objects.update(events_read_to=database_now() - timedelta(minutes=59))
    assert request_reconciliations(timezone.now()) >= 1
    assert request_reconciliations(timezone.now()) == 0, "once an hour"
    drain(2)
    with workspace_scope(cast.workspace.pk):
        found = BillingMessage.objects.filter(was_listed=True)
        print(f"{len(bodies)} messages, {len(dropped)} dropped, {found.count()} found by asking")
        ids = {json.loads(body)["id"] for number, body in enumerate(bodies) if number in dropped}
        assert set(found.values_list("message_id", flat=True)) == ids
        left = BillingMessage.objects.filter(processed_at__isnull=True)
        assert list(left.values_list("message_type", "failures", "last_error")) == []
        assert BillingSync.objects.get(kind="messages").counts["missed"] == len(dropped)
        assert BillingConnection.objects.get().events_read_to > database_now() - timedelta(minutes=5)


def test_a_gap_that_the_list_does_not_reach_is_read_whole(cast, connected):
    with workspace_scope(cast.workspace.pk):
        BillingConnection.objects.update(events_read_to=timezone.now() - timedelta(days=40))
    request_reconciliations(timezone.now())
    with workspace_scope(cast.workspace.pk):
        assert [sync.kind for sync in BillingSync.objects.all()] == ["first"]


PLANTED = ("missing_here", "missing_there", "status", "amount", "charge_unbooked")


def plant(kind: str, place: int) -> str:
    """Bend the mirror so that it differs in this way; returns the id that the difference must name."""
    invoices = Invoice.objects.filter(external_id__startswith="in_").order_by("pk")
    invoice = invoices[place * 5 + PLANTED.index(kind)]
    if kind == "missing_here":
        Invoice.objects.filter(pk=invoice.pk).delete()
    elif kind == "missing_there":
        key = f"in_ghost{place}"
        Invoice.objects.create(
            account=invoice.account, customer=invoice.customer, external_id=key, provider="stripe",
            amount_minor=1, currency="USD", status="open", due_at=invoice.due_at, made_at=invoice.made_at,
            fetched_at=invoice.fetched_at,
        )  # fmt: skip
        return key
    elif kind == "status":
        Invoice.objects.filter(pk=invoice.pk).update(status="void")
    elif kind == "amount":
        Invoice.objects.filter(pk=invoice.pk).update(amount_minor=invoice.amount_minor + 1)
    else:
        attempt = PaymentAttempt.objects.filter(invoice=invoice).latest("number")
        PaymentAttempt.objects.filter(pk=attempt.pk).delete()
        return str(attempt.external_id)
    return str(invoice.external_id)


@pytest.mark.parametrize(
    ("rows", "each"), [(26, 1), pytest.param(16_700, 5, marks=pytest.mark.soak)], ids=["quick", "long"]
)
def test_planted_differences_are_found_and_nothing_else(cast, connected, stripe_address, rows, each):
    """A ledger of `rows` customers: as many subscriptions, invoices and charges."""
    stripe_address.seed(rows, plans=[["ok"], ["insufficient_funds"]], subscriptions=True)
    began = time.monotonic()
    walk(cast, connected, "first")
    first_seconds = time.monotonic() - began
    with workspace_scope(cast.workspace.pk):
        total = sum(model.objects.count() for model in (Subscription, Invoice, PaymentAttempt))
    began = time.monotonic()
    quiet = walk(cast, connected, "ledger", hours=1)
    print(f"first synchronisation {first_seconds:.1f} s, comparison {time.monotonic() - began:.1f} s")
    with workspace_scope(cast.workspace.pk):
        assert quiet.counts["subscription"] == rows
        assert BillingDifference.objects.count() == 0, "no planted difference yet: each would be false"
        planted = {(kind, plant(kind, place)) for kind in PLANTED for place in range(each)}
    second = walk(cast, connected, "ledger", hours=2)
    with workspace_scope(cast.workspace.pk):
        found = BillingDifference.objects.all()
        named = {(row.kind, row.external_id) for row in found}
        print(
            f"{total} rows, {len(planted)} planted: {len(named & planted)} found, {len(named - planted)} false"
        )
        assert named == planted
        is_open = {row.kind for row in found if row.resolved_at is None}
        assert is_open == {"missing_there"}, "all others are mended by reading afresh"
        assert second.counts["differences"] == len(named)
    third = walk(cast, connected, "ledger", hours=3)
    assert third.counts.get("differences", 0) == each, "what nobody can mend is told as one open difference"


def test_a_message_that_waits_is_no_difference(cast, connected, stripe_address, deliver):
    invoice_id = stripe_address.seed(1, plans=[["insufficient_funds", "ok"]])["invoices"][0]
    walk(cast, connected, "first")
    known = len(bodies_of(stripe_address))
    stripe_address.client().v1.invoices.pay(invoice_id)
    for body in bodies_of(stripe_address)[known:]:
        deliver(body)
    with workspace_scope(cast.workspace.pk):
        Job.objects.filter(kind=MESSAGE_JOB).update(due_at=timezone.now() + timedelta(hours=9))
    walk(cast, connected, "ledger", hours=1)
    with workspace_scope(cast.workspace.pk):
        assert not BillingDifference.objects.exists()
        BillingMessage.objects.update(processed_at=timezone.now())
    walk(cast, connected, "ledger", hours=2)
    with workspace_scope(cast.workspace.pk):
        assert {row.kind for row in BillingDifference.objects.all()} == {"status", "charge_unbooked"}
        assert Invoice.objects.get().status == "paid", "and mended"


@pytest.mark.parametrize("rows", [26, pytest.param(4_000, marks=pytest.mark.soak)], ids=["quick", "long"])
def test_reading_everything_anew_changes_nothing_and_tells_nobody(cast, connected, stripe_address, rows):
    """What is here already is only noted as read: nobody is told, and who follows changes sees none."""
    stripe_address.seed(rows, plans=[["ok"], ["insufficient_funds"]], subscriptions=True)
    models = (BillingCustomer, PaymentMethod, Subscription, Invoice)
    began = time.monotonic()
    walk(cast, connected, "first")
    first_seconds = time.monotonic() - began
    with workspace_scope(cast.workspace.pk):
        Job.objects.filter(workspace=cast.workspace).delete()
        changed = dict(Invoice.objects.values_list("pk", "updated_at"))
        moment = database_now()
    began = time.monotonic()
    walk(cast, connected, "first", hours=1)
    again_seconds = time.monotonic() - began
    print(f"{rows} customers: first synchronisation {first_seconds:.1f} s, again {again_seconds:.1f} s")
    with workspace_scope(cast.workspace.pk):
        assert [model.objects.filter(fetched_at__lt=moment).count() for model in models] == [0] * 4
        assert Subscription.objects.count() == PaymentAttempt.objects.count() == rows
        assert dict(Invoice.objects.values_list("pk", "updated_at")) == changed
        assert not Job.objects.filter(workspace=cast.workspace).exclude(kind=SYNC_JOB).exists()
