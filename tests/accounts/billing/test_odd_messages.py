"""Messages that are not what one hopes for: each has an end, and none of them an alarm that nobody needs."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import (
    Account,
    BillingConnection,
    BillingCustomer,
    BillingMessage,
    Invoice,
    Job,
    Notification,
    Subscription,
)
from accounts.services import billing_refresh
from accounts.services.billing_inbox import MESSAGE_JOB, PARKED_KIND
from accounts.services.billing_pace import paced_gateway
from accounts.services.billing_parked import try_again
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.billing.flood import bodies_of, drain, due_now, events_of
from tests.accounts.billing.test_reconcile import walk

pytestmark = pytest.mark.django_db(transaction=True)


def message(object_type: str, object_id: str, **more: Any) -> bytes:
    about = {"id": object_id, "object": object_type}
    told = {"id": f"evt_{object_id}", "type": f"{object_type}.updated", "created": 1_790_000_000}
    return json.dumps({**told, "livemode": False, "data": {"object": about}, **more}).encode()


def only_message(cast) -> BillingMessage:
    with workspace_scope(cast.workspace.pk):
        found: BillingMessage = BillingMessage.objects.get()
        return found


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({"account": "acct_another"}, "of another account"),
        ({"livemode": True}, "of live mode"),
        ({"account": "acct_ours"}, ""),
    ],
    ids=["connected account", "other mode", "our own account by name"],
)
def test_only_messages_of_the_connected_ledger_are_worked_on(cast, connected, deliver, more, note):
    with workspace_scope(cast.workspace.pk):
        BillingConnection.objects.update(account_ref="acct_ours")
    assert deliver(message("invoice", "in_1", **more)) == 200
    row = only_message(cast)
    assert (row.last_error, bool(row.processed_at), row.body is None) == (note, bool(note), bool(note))
    assert Job.objects.filter(kind=MESSAGE_JOB).exists() == (not note)


def test_the_test_mode_of_a_live_company_is_left_out(cast, connected, deliver):
    with workspace_scope(cast.workspace.pk):
        BillingConnection.objects.update(is_live=True)
    assert deliver(message("invoice", "in_1")) == 200
    assert only_message(cast).last_error == "of a test mode"


def test_what_the_provider_does_not_have_any_more_is_done_after_asking_twice(
    cast, connected, stripe_address, deliver
):
    """Wiped test data. Nobody is told: there is nothing to do."""
    deliver(message("subscription", "sub_wiped"))
    drain()
    assert only_message(cast).processed_at is None
    due_now(cast.workspace)
    drain()
    row = only_message(cast)
    assert row.processed_at and row.last_error == "the provider does not have it any more"
    assert len(stripe_address.requests(path="/v1/subscriptions/*")) == 2
    with workspace_scope(cast.workspace.pk):
        assert not Notification.objects.filter(kind=PARKED_KIND).exists()


def test_something_else_that_is_missing_is_no_reason_to_give_up_silently(
    cast, connected, stripe_address, deliver, monkeypatch
):
    """The subscription is there, what it stands on is not: a person has to see that."""
    subscription = stripe_address.seed(1, plans=[["ok"]], subscriptions=True)["subscriptions"][0]
    read = billing_refresh.read_subscription
    monkeypatch.setattr(
        billing_refresh,
        "read_subscription",
        lambda gateway, key: replace(read(gateway, key), customer_id="cus_nowhere"),
    )
    deliver(message("subscription", subscription))
    for _ in range(6):
        due_now(cast.workspace)
        drain()
    assert only_message(cast).parked_at and not only_message(cast).processed_at


def test_a_customer_that_came_and_went_unseen_makes_no_account(cast, connected, stripe_address, deliver):
    v1 = stripe_address.client().v1
    gone = v1.customers.create({"name": "Never Here"}).id
    v1.customers.delete(gone)
    billed = stripe_address.seed(1, plans=[["ok"]])["customers"][0]
    v1.customers.delete(billed)
    for body in bodies_of(stripe_address):
        deliver(body)
    drain()
    with workspace_scope(cast.workspace.pk):
        assert not BillingMessage.objects.filter(processed_at__isnull=True).exists()
        customers = BillingCustomer.objects.values_list("external_id", "is_deleted")
        assert list(customers) == [(billed, True)], "what it was billed for is still somebody's"
        assert not Account.objects.filter(external_id=gone).exists()
        assert Invoice.objects.get().account.external_id == billed


def test_an_invoice_of_a_customer_that_is_not_known_brings_the_customer(
    cast, connected, stripe_address, deliver
):
    made = stripe_address.seed(1, plans=[["ok"]], subscriptions=True)
    told = [one for one in events_of(stripe_address) if one["type"] == "invoice.paid"]
    deliver(json.dumps(told[0]).encode())
    drain()
    with workspace_scope(cast.workspace.pk):
        invoice = Invoice.objects.get()
        assert (invoice.customer.external_id, invoice.status) == (made["customers"][0], "paid")
        assert Subscription.objects.get().account_id == invoice.account_id


def test_the_version_of_the_api_that_a_message_was_written_in_does_not_matter(
    cast, connected, stripe_address, deliver
):
    """Only what a message is about is taken from it, and that stood in the same place ten years ago."""
    made = stripe_address.seed(1, plans=[["insufficient_funds", "ok"]], subscriptions=True)
    stripe_address.client().v1.invoices.pay(made["invoices"][0])
    for event in events_of(stripe_address):
        about = event["data"]["object"]
        old = {"id": about["id"], "object": about["object"], "livemode": False}
        if "payment_intent" in about:
            old |= {"payment_intent": about["payment_intent"], "invoice": made["invoices"][0]}
        if about["object"] == "invoice_payment":
            old |= {"invoice": about["invoice"]}
        deliver(json.dumps({**event, "api_version": "2015-10-16", "data": {"object": old}}).encode())
    drain()
    with workspace_scope(cast.workspace.pk):
        assert not BillingMessage.objects.filter(processed_at__isnull=True).exists()
        assert Invoice.objects.get().status == "paid" and Invoice.objects.get().attempts.count() == 2
        assert Subscription.objects.get().mrr_minor > 0


def test_a_message_without_its_object_is_set_aside_and_told_and_may_be_tried(cast, connected, deliver):
    """A "thin" message: the endpoint was set up for another kind than we ask for."""
    thin = {"id": "evt_thin", "object": "v2.core.event", "type": "v1.invoice.paid"}
    about = {"id": "in_1", "type": "invoice"}
    body = json.dumps({**thin, "created": "2026-11-20T09:00:00Z", "related_object": about}).encode()
    assert deliver(body) == 200
    assert deliver(body.replace(b"evt_thin", b"evt_next")) == 200
    with workspace_scope(cast.workspace.pk):
        rows = list(BillingMessage.objects.all())
        assert all(row.parked_at and row.body and "unreadable" in row.last_error for row in rows)
        told = Notification.objects.filter(kind=PARKED_KIND, membership__user=cast.ada)
        assert [one.context for one in told] == [{"type": "v1.invoice.paid"}], "once, not for each"
        assert try_again(message=rows[0], acting_user=cast.ada, now=timezone.now())
    for _ in range(6):
        due_now(cast.workspace)
        drain()
    with workspace_scope(cast.workspace.pk):
        again = BillingMessage.objects.get(pk=rows[0].pk)
        assert again.parked_at and again.failures == 5 and not again.processed_at


def test_a_message_that_is_too_large_comes_by_the_list(cast, connected, stripe_address, deliver):
    invoice_id = stripe_address.seed(1, plans=[["ok"]])["invoices"][0]
    walk(cast, connected, "first")
    large = {"id": invoice_id, "object": "invoice", "description": "x" * (1024 * 1024)}
    key = stripe_address.emit("invoice.updated", large)
    body = next(one for one in bodies_of(stripe_address) if key.encode() in one)
    assert deliver(body) == 413
    walk(cast, connected, "messages")
    with workspace_scope(cast.workspace.pk):
        row = BillingMessage.objects.get(message_id=key)
        assert row.was_listed and row.processed_at and row.body is None


def test_a_charge_from_before_payment_intents_leads_to_its_invoice(
    cast, connected, stripe_address, monkeypatch
):
    made = stripe_address.seed(1, plans=[["ok"]])
    walk(cast, connected, "first")
    with workspace_scope(cast.workspace.pk):
        Invoice.objects.update(payment_ref="ch_old")
    charge = billing_refresh.read_charge(paced_gateway(connected), stripe_address.ledger()[0]["charge"])
    monkeypatch.setattr(billing_refresh, "read_charge", lambda gateway, key: replace(charge, intent_id=""))
    reader = billing_refresh.Reader(paced_gateway(connected))
    reader.read("ch_old")
    assert [facts.id for facts, _at in reader.found.invoices] == made["invoices"]
