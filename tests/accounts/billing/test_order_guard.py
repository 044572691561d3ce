"""What the card networks allow is held by the database itself, whatever the program believes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import BillingOrder, Invoice, MadeBy, PaymentAttempt
from accounts.services.billing_orders import OrderRefused, place_charge
from tests.builders import make_account
from tests.dunning.engine.world import connect

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def invoice(scope) -> Invoice:
    connect()
    return Invoice.objects.create(
        account=make_account("Kiln"),
        external_id="in_1",
        amount_minor=4_900,
        currency="USD",
        status="open",
        due_at=timezone.now(),
        provider="stripe",
    )


def tried(invoice: Invoice, count: int, *, ago: timedelta) -> None:
    """Tries of whoever: Stripe's own, or those from before the connection."""
    at, first = timezone.now() - ago, PaymentAttempt.objects.filter(invoice=invoice).count() + 1
    for number in range(first, first + count):
        PaymentAttempt.objects.create(
            invoice=invoice, account=invoice.account, number=number, attempted_at=at, status="failed"
        )


def order(invoice: Invoice, number: int, **values: object) -> BillingOrder:
    """An order written past every service."""
    now = timezone.now()
    given = {
        "state": "failed",
        "sent_at": now,
        "planned_at": now,
        "on_day": now.date() - number * DAY,
    } | values
    made: BillingOrder = BillingOrder.objects.create(
        kind="pay",
        account=invoice.account,
        invoice=invoice,
        number=number,
        key=f"in_1:{number}",
        amount_minor=4_900,
        currency="USD",
        **given,
    )
    return made


@pytest.mark.parametrize("made_by", [MadeBy.PLATFORM, MadeBy.CSM, MadeBy.PERSON])
def test_fifteen_tries_in_thirty_days_whoever_made_them(invoice: Invoice, made_by) -> None:
    tried(invoice, 9, ago=29 * DAY)
    tried(invoice, 40, ago=31 * DAY)  # too long ago to count
    for number in range(1, 6):
        order(invoice, number)
    now = timezone.now()
    fifteenth = place_charge(invoice=invoice, day=now.date(), now=now, made_by=made_by)
    assert fifteenth.number == 6
    BillingOrder.objects.filter(pk=fifteenth.pk).update(state="failed", sent_at=now)
    with pytest.raises(OrderRefused, match="network_cap"), transaction.atomic():
        place_charge(invoice=invoice, day=now.date() + DAY, now=now, made_by=made_by)
    with pytest.raises(IntegrityError, match="too many charges"), transaction.atomic():
        order(invoice, 7)
    later = now + 2 * DAY  # nine of them are older than thirty days then
    assert place_charge(invoice=invoice, day=later.date(), now=later, made_by=made_by).number == 7


def test_what_was_never_sent_does_not_count(invoice: Invoice) -> None:
    tried(invoice, 14, ago=DAY)
    order(invoice, 1, state="canceled", sent_at=None)
    order(invoice, 2, state="by_hand", sent_at=None)
    order(invoice, 3)
    with pytest.raises(IntegrityError, match="too many charges"), transaction.atomic():
        order(invoice, 4)
