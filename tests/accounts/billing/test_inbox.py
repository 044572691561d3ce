"""Messages: proven, stored once before the answer, worked on later in any order."""

import json
from datetime import timedelta

import pytest
from django.db import connection as db
from django.test import Client
from django.utils import timezone

from accounts.gateways.stripe.events import sign
from accounts.models import BillingConnection, BillingMessage, Invoice, Job, Notification
from accounts.services import billing_refresh
from accounts.services.billing_connections import set_webhook_secret
from accounts.services.billing_inbox import MESSAGE_JOB, PARKED_KIND
from accounts.services.billing_pace import paced_gateway
from accounts.services.billing_parked import try_again
from accounts.services.jobs import claim, run, run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.billing.conftest import SECRET
from tests.accounts.billing.flood import bodies_of, drain, due_now

pytestmark = pytest.mark.django_db(transaction=True)
PAID = json.dumps(
    {
        "id": "evt_1",
        "object": "event",
        "type": "invoice.paid",
        "created": 1_790_000_000,
        "livemode": False,
        "data": {"object": {"id": "in_1", "object": "invoice"}},
    }
).encode()


def stored(cast) -> int:
    with workspace_scope(cast.workspace.pk):
        return BillingMessage.objects.count()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("wrong secret", 400),
        ("altered byte", 400),
        ("no header", 400),
        ("two signatures, one right", 200),
        ("301 seconds old", 400),
        ("301 seconds ahead", 400),
        ("sent again", 200),
    ],
)
def test_only_what_stripe_signed_just_now_is_taken(cast, connected, deliver, name, answer):
    now = timezone.now()
    right = sign(PAID, SECRET, now)
    stamp, _, mac = right.partition(",v1=")
    cases = {
        "wrong secret": lambda: deliver(PAID, secret="whsec_another"),
        "altered byte": lambda: deliver(PAID.replace(b"in_1", b"in_2"), header=right),
        "no header": lambda: deliver(PAID, header=""),
        "two signatures, one right": lambda: deliver(PAID, header=f"{stamp},v1={'0' * 64},v1={mac}"),
        "301 seconds old": lambda: deliver(PAID, header=sign(PAID, SECRET, now - timedelta(seconds=302))),
        "301 seconds ahead": lambda: deliver(PAID, header=sign(PAID, SECRET, now + timedelta(seconds=302))),
        "sent again": lambda: deliver(PAID, header=right) and deliver(PAID, header=right),
    }
    assert cases[name]() == answer
    assert stored(cast) == (1 if answer == 200 else 0)
    with workspace_scope(cast.workspace.pk):
        assert Job.objects.filter(kind="accounts.billing_message").count() == stored(cast)


def test_both_secrets_count_for_a_day_after_a_change(cast, connected, deliver):
    later = "whsec_the_next_one"
    with workspace_scope(cast.workspace.pk):
        set_webhook_secret(secret=later, acting_user=cast.ada, now=timezone.now())
    assert (deliver(PAID), deliver(PAID, secret=later)) == (200, 200)
    with workspace_scope(cast.workspace.pk):
        BillingConnection.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    assert (deliver(PAID), deliver(PAID, secret=later)) == (400, 200)
    assert stored(cast) == 1


def test_strangers_and_the_disconnected_learn_nothing(cast, connected, deliver):
    """Unknown workspace, other workspace, no connection, too much: the same answer, and no row."""
    header = {"Stripe-Signature": sign(PAID, SECRET, timezone.now())}
    for public_id in (cast.other.public_id, "00000000-0000-0000-0000-000000000000"):
        answer = Client().post(
            f"/webhooks/stripe/{public_id}/", PAID, content_type="application/json", headers=header
        )
        assert answer.status_code == 400
    large = b'{"id": "' + b"x" * (1024 * 1024) + b'"}'
    assert deliver(large) == 413
    with workspace_scope(cast.workspace.pk):
        BillingConnection.objects.update(disconnected_at=timezone.now())
    assert deliver(PAID) == 400
    assert stored(cast) == 0


def test_poison_is_parked_and_told_and_holds_up_nobody(cast, connected, stripe_address, deliver, monkeypatch):
    stripe_address.seed(3, plans=[["ok"]], subscriptions=True)
    bodies = bodies_of(stripe_address)
    poison = next(body for body in bodies if b'"invoice.paid"' in body)
    target = json.loads(poison)["data"]["object"]["id"]
    read = billing_refresh.Reader.read

    def broken(reader, object_id):
        if object_id == target:
            raise RuntimeError("cannot be understood")
        read(reader, object_id)

    monkeypatch.setattr(billing_refresh.Reader, "read", broken)
    for body in bodies:
        assert deliver(body) == 200
    for _ in range(8):
        due_now(cast.workspace)
        drain()
    with workspace_scope(cast.workspace.pk):
        parked = BillingMessage.objects.filter(parked_at__isnull=False)
        about = {row.object_id for row in parked}
        assert target in about and len(about) == 2, "it and the payment that leads to it"
        assert {row.failures for row in parked} == {5}
        assert not BillingMessage.objects.filter(parked_at__isnull=True, processed_at__isnull=True).exists()
        assert Invoice.objects.filter(status="paid").count() == 2
        told = Notification.objects.filter(kind=PARKED_KIND, membership__user=cast.ada)
        kinds = {row.message_type for row in parked}
        assert {row.context["type"] for row in told} == kinds and told.count() == len(kinds) < len(parked)
    monkeypatch.undo()
    with workspace_scope(cast.workspace.pk):
        for row in parked:
            assert try_again(message=row, acting_user=cast.ada, now=timezone.now())
    drain()
    with workspace_scope(cast.workspace.pk):
        assert Invoice.objects.filter(status="paid").count() == 3
        assert not BillingMessage.objects.filter(processed_at__isnull=True).exists()


def test_an_older_read_does_not_undo_a_newer_one(cast, connected, stripe_address):
    """Two reads of one invoice; the one that began first is applied last."""
    from accounts.gateways.stripe.reading import read_invoice
    from accounts.services.billing_invoices import apply_invoice
    from cs_platform.lib.database_clock import database_now

    invoice_id = stripe_address.seed(1, plans=[["insufficient_funds", "ok"]])["invoices"][0]
    gateway = paced_gateway(connected)
    reader = billing_refresh.Reader(gateway)
    reader.read(invoice_id)
    first = reader.found
    stripe_address.client().v1.invoices.pay(invoice_id)
    began = database_now()
    newer = read_invoice(gateway, invoice_id)
    with workspace_scope(cast.workspace.pk):
        first.apply(now=timezone.now())
        assert apply_invoice(newer, fetched_at=began, now=timezone.now())
        first.apply(now=timezone.now())
        row = Invoice.objects.get()
        assert (row.status, row.attempts.count()) == ("paid", 2)
        assert [a.status for a in row.attempts.order_by("number")] == ["failed", "succeeded"]


def test_one_read_answers_all_that_came_before_it(cast, connected, stripe_address, deliver):
    """No job is left that would find that out by itself; what is being worked on, or says something by itself, stays."""
    stripe_address.seed(1, plans=[["insufficient_funds", "ok"]])
    for body in bodies_of(stripe_address):
        deliver(body)
    with workspace_scope(cast.workspace.pk):
        about = BillingMessage.objects.filter(object_id__startswith="in_")
        busy = about.latest("pk")
        Job.objects.filter(object_id=busy.pk).update(lease_until=timezone.now() + timedelta(minutes=1))
        special = about.exclude(pk__in=[about.earliest("pk").pk, busy.pk]).earliest("pk")
        BillingMessage.objects.filter(pk=special.pk).update(message_type="checkout.session.odd")
        many = about.count()
    assert many > 4
    assert run_due_jobs(limit=1, kind=MESSAGE_JOB) == 1, "the customer"
    assert run_due_jobs(limit=1, kind=MESSAGE_JOB) == 1, "and its invoice"
    with workspace_scope(cast.workspace.pk):
        left = set(about.filter(processed_at__isnull=True).values_list("pk", flat=True))
        jobs = Job.objects.filter(kind=MESSAGE_JOB, object_id__in=about.values("pk"))
        assert left == {special.pk}
        assert set(jobs.values_list("object_id", flat=True)) == {special.pk, busy.pk}
        assert not about.filter(pk=busy.pk, body__isnull=False).exists()


def test_an_object_is_read_by_one_worker_at_a_time(cast, connected, stripe_address, deliver):
    """Of several messages about it only the first goes on; without it, the next."""
    invoice_id = stripe_address.seed(1, plans=[["ok"]])["invoices"][0]
    for number in range(3):
        deliver(PAID.replace(b"evt_1", f"evt_{number}".encode()).replace(b"in_1", invoice_id.encode()))
    first = claim(kind=MESSAGE_JOB)
    assert run_due_jobs(limit=9, kind=MESSAGE_JOB) == 2
    assert not stripe_address.requests(path="/v1/invoices/*"), "both wait"
    with workspace_scope(cast.workspace.pk):
        assert BillingMessage.objects.filter(processed_at__isnull=True, failures=0).count() == 3
    assert first
    run(first)
    due_now(cast.workspace)
    drain()
    assert len(stripe_address.requests(path="/v1/invoices/*")) == 1
    with workspace_scope(cast.workspace.pk):
        assert not BillingMessage.objects.filter(processed_at__isnull=True).exists()
        assert not Job.objects.filter(kind=MESSAGE_JOB).exists()


def test_all_locks_are_taken_before_anything_is_written(cast, connected, stripe_address):
    """Else two workers at one customer's messages wait for each other: one for a lock, the other for a row."""
    made = stripe_address.seed(1, plans=[["ok"]], subscriptions=True)
    reader = billing_refresh.Reader(paced_gateway(connected))
    reader.read(made["invoices"][0])
    told: list[tuple[str, object]] = []

    def note(execute, sql, params, many, context):
        told.append((str(sql), params))
        return execute(sql, params, many, context)

    with workspace_scope(cast.workspace.pk), db.execute_wrapper(note):
        reader.found.apply(now=timezone.now())
    locks = [params[0] for sql, params in told if "pg_advisory_xact_lock" in sql]
    assert "pg_advisory_xact_lock" in told[0][0] and len(locks) > 4
    later = {name for names in locks[1:] for name in names}
    assert later - set(locks[0]) <= {f"billing:{cast.workspace.pk}:plan names"}


def test_a_message_that_comes_while_its_object_is_read_is_not_answered_by_that(
    cast, connected, stripe_address, deliver, monkeypatch
):
    """The customer pays, and Stripe says so, when the answer of our read is already on its way."""
    invoice_id = stripe_address.seed(1, plans=[["insufficient_funds", "ok"]])["invoices"][0]
    known = bodies_of(stripe_address)
    for body in known:
        deliver(body)
    read, is_paid = billing_refresh.read_invoice, []

    def slow(gateway, found_id):
        answer = read(gateway, found_id)
        if not is_paid:
            is_paid.append(stripe_address.client().v1.invoices.pay(invoice_id))
            for body in bodies_of(stripe_address)[len(known) :]:
                deliver(body)
        return answer

    monkeypatch.setattr(billing_refresh, "read_invoice", slow)
    drain()
    with workspace_scope(cast.workspace.pk):
        assert is_paid and Invoice.objects.get().status == "paid"


def test_a_change_after_the_last_read_is_read(cast, connected, stripe_address, deliver):
    """Messages that came before the read began are skipped; one that came after it is not."""
    invoice_id = stripe_address.seed(1, plans=[["insufficient_funds", "ok"]])["invoices"][0]
    known = bodies_of(stripe_address)
    for body in known:
        deliver(body)
    drain()
    reads = len(stripe_address.requests())
    assert reads < 2 * len(known), "one read serves several messages"
    stripe_address.client().v1.invoices.pay(invoice_id)
    for body in bodies_of(stripe_address)[len(known) :]:
        deliver(body)
    drain()
    with workspace_scope(cast.workspace.pk):
        assert Invoice.objects.get().status == "paid"


def test_what_cannot_be_read_is_set_aside_and_what_concerns_nobody_is_done(cast, connected, deliver):
    payout = {
        "id": "evt_2",
        "type": "payout.paid",
        "created": 1_790_000_000,
        "data": {"object": {"object": "payout"}},
    }
    assert deliver(json.dumps({"id": "evt_odd", "type": "x"}).encode()) == 200
    assert deliver(json.dumps(payout).encode()) == 200
    with workspace_scope(cast.workspace.pk):
        odd, other = BillingMessage.objects.order_by("pk")
        assert odd.parked_at and odd.body and not odd.processed_at
        assert other.processed_at and other.body is None
        assert not Job.objects.filter(kind="accounts.billing_message").exists()
