"""Risks and the queue follow a fact of today without waiting for the night."""

from datetime import timedelta

import pytest

from accounts.models import Invoice, PaymentAttempt
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import workspace_scope
from health.models import NightRun, QueueEntry, QueueItem, Risk, RunStatus
from health.services.at_once import refresh_account
from health.services.queue import fill_queue
from health.services.risks import find_risks
from health.services.snapshots import take_snapshots
from health.services.states import refresh_states
from tests.builders import NOW, make_account, make_subscription

LATER = NOW + timedelta(hours=1)


def fail(account, number=1, at=NOW, **fields):
    given = {"amount_minor": 5_000, "currency": "USD", "status": "open", "due_at": at} | fields
    invoice = Invoice.objects.create(account=account, external_id=f"in_{account.pk}_{number}", **given)
    PaymentAttempt.objects.create(
        invoice=invoice, account=account, number=1, attempted_at=at, status="failed", decline_code="lost_card"
    )
    return invoice


@pytest.fixture
def accounts(cast):
    workspace = cast.workspace
    with workspace_scope(workspace.pk):
        made = [make_account("Northwind"), make_account("Southwind")]
        for account in made:
            make_subscription(account)
        as_of = local_day(NOW, workspace.zone)
        take_snapshots(as_of=as_of)
        refresh_states(as_of=as_of)
        find_risks(as_of=as_of)
        fill_queue(as_of=as_of, now=NOW)
        NightRun.objects.create(as_of=as_of, status=RunStatus.DONE)
        Risk.objects.all().delete()
        QueueItem.objects.all().delete()
        QueueEntry.objects.all().delete()
        yield made


def open_causes(account):
    return set(Risk.objects.filter(account=account, closed_on=None).values_list("cause", flat=True))


def test_a_failed_payment_is_in_the_queue_at_once_and_leaves_it_when_paid(accounts):
    north, south = accounts
    invoice = fail(north)
    fail(south)
    refresh_account(north.pk, now=LATER)
    assert "payment_failed" in open_causes(north)
    assert not open_causes(south), "only the account that was asked for"
    assert QueueEntry.objects.filter(account=north).exists()
    invoice.status, invoice.paid_at = "paid", LATER
    invoice.save()
    refresh_account(north.pk, now=LATER)
    assert "payment_failed" not in open_causes(north)
    assert not QueueItem.objects.filter(account=north, source="risk:payment_failed", closed_at=None).exists()


def test_it_may_come_often_and_knows_since_when(accounts):
    north, _ = accounts
    fail(north, at=NOW - timedelta(days=12))
    for _round in range(2):
        refresh_account(north.pk, now=LATER)
    risk = Risk.objects.get(account=north, cause="payment_failed")
    assert risk.evidence == {"failed_payments_90": 1.0, "days_past_due": 12.0}
    assert QueueItem.objects.filter(account=north, source="risk:payment_failed").count() == 1


def test_before_the_first_night_nothing_happens(accounts):
    NightRun.objects.all().delete()
    fail(accounts[0])
    refresh_account(accounts[0].pk, now=LATER)
    assert not Risk.objects.exists()
