"""A year of failing cards: no invoice is ever tried more often than the policy, the day and the networks allow."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F

from accounts.gateways.stripe.acting import Answer, Outcome, Request
from accounts.gateways.stripe.client import BillingError
from accounts.models import (
    Account,
    BillingCustomer,
    BillingOrder,
    Invoice,
    Job,
    OrderKind,
    PaymentAttempt,
    PaymentMethod,
)
from accounts.services import billing_order_running
from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from dunning.services.cases import look_at_invoice
from dunning.services.policies import definition_of, version_in_force
from tests.dunning.engine import world

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 1, 1, 8, tzinfo=UTC)  # in the hours in which cards are charged
SOFT = ["insufficient_funds", "generic_decline", "do_not_honor", "processing_error", "try_again_later"]
HARD = ["lost_card", "stolen_card", "expired_card", "incorrect_number"]
HARD_FOR_GOOD = {"lost_card", "stolen_card", "incorrect_number"}


class Bank:
    """Refuses most of what it is asked, from a seed; stands in for the provider's whole answer."""

    def __init__(self, seed: int) -> None:
        self.dice, self.charges = random.Random(seed), 0

    def act(self, gateway: Any, request: Request) -> Answer:
        self.charges += 1
        charge = f"ch_{self.charges}"
        draw = self.dice.random()
        if draw < 0.15:
            return Answer(Outcome.SUCCEEDED, {"id": request.target, "status": "paid"}, charge)
        code = self.dice.choice(HARD if draw > 0.92 else SOFT)
        raise BillingError(
            "declined",
            permanent=True,
            http_status=402,
            code="card_declined",
            decline_code=code,
            charge_ref=charge,
        )


# A thousand accounts a year, in four parts that know nothing of each other, so that four runs can go side by side.
YEAR = [pytest.param(250, 365, part, marks=pytest.mark.soak, id=f"year-{part}-of-4") for part in range(1, 5)]


@pytest.mark.parametrize(("accounts", "days", "part"), [(16, 60, 0), *YEAR])
def test_no_invoice_is_tried_too_often(
    cast: Any,
    clock: Callable[[datetime], None],
    monkeypatch: pytest.MonkeyPatch,
    accounts: int,
    days: int,
    part: int,
) -> None:
    seed = random.randrange(10_000)
    bank = Bank(seed)
    monkeypatch.setattr(billing_order_running, "act", bank.act)
    scope = lambda: workspace_scope(cast.workspace.pk)  # noqa: E731
    clock(START)
    with scope():
        world.connect(per_second=30_000)
        world.no_notices()
        methods = make_customers(accounts)
        policy = definition_of(version_in_force())
    for day in range(days):
        clock(START + timedelta(days=day))
        with scope():
            fail_some(methods, day, bank)
        for hour in (0, 6, 12):  # the worker looks at other times of the day too
            clock(START + timedelta(days=day, hours=hour))
            with scope():
                hours_pass(6 if hour else 12)
                look_at_some(bank.dice)
            run_due_jobs(limit=100_000)
    with scope():
        tries = tries_by_invoice()
        most = max(most_within(moments, 14) for moments in tries.values())
        print(
            f"part {part}, seed {seed}: {accounts} accounts, {days} days, {len(tries)} failed invoices, {bank.charges} charges,"
            f" most in 14 days {most}, in 30 days {max(most_within(m, 30) for m in tries.values())}"
        )
        assert most <= policy.attempts and policy.window_days == 14
        assert max(most_within(moments, 30) for moments in tries.values()) <= 15
        assert max(per_day().values()) == 1
        assert after_hard() == []
        assert world.unexplained() == []
        assert DunningCase.objects.filter(state="recovered").exists()


def hours_pass(hours: int) -> None:
    """The database's clock stands still beside the product's: what waits comes so much nearer."""
    Job.objects.update(due_at=F("due_at") - timedelta(hours=hours))


def look_at_some(dice: random.Random, share: float = 0.05) -> None:
    """A worker may look at a case whenever it wants to: that charges nothing before its time."""
    some = [pk for pk in Job.objects.values_list("pk", flat=True) if dice.random() < share]
    Job.objects.filter(pk__in=some).update(due_at=datetime(2000, 1, 1, tzinfo=UTC))


def make_customers(count: int) -> list[PaymentMethod]:
    made = []
    for n in range(count):
        account = Account.objects.create(external_id=f"a{n}", name=f"Account {n}", created_at=START)
        customer = BillingCustomer.objects.create(account=account, external_id=f"cus_{n}")
        made.append(new_card(customer, 0))
    return made


def new_card(customer: BillingCustomer, number: int) -> PaymentMethod:
    customer.default_method = f"pm_{customer.external_id}_{number}"
    customer.save()
    card: PaymentMethod = PaymentMethod.objects.create(
        customer=customer,
        external_id=customer.default_method,
        kind="card",
        brand="visa",
        fingerprint=customer.default_method,
        created_at=START,
    )
    return card


def fail_some(methods: list[PaymentMethod], day: int, bank: Bank) -> None:
    """Each account renews once a month, on its own day; two in three payments fail at first."""
    for n, method in enumerate(methods):
        if day % 30 != n % 30 % 10 or bank.dice.random() < 0.33:
            continue
        now = START + timedelta(days=day)
        invoice = Invoice.objects.create(
            account_id=method.customer.account_id,
            customer=method.customer,
            external_id=f"in_{n}_{day}",
            amount_minor=4900,
            currency="USD",
            status="open",
            due_at=now,
            provider="stripe",
            collection_method="charge_automatically",
        )
        PaymentAttempt.objects.create(
            invoice=invoice,
            account_id=invoice.account_id,
            number=1,
            attempted_at=now,
            status="failed",
            decline_code=bank.dice.choice(SOFT),
            external_id=f"first_{n}_{day}",
            method=method.external_id,
            fingerprint=method.fingerprint,
            brand="visa",
        )
        look_at_invoice(invoice.pk, now=now)


def tries_by_invoice() -> dict[int, list[datetime]]:
    found = defaultdict(list)
    for invoice_id, at in PaymentAttempt.objects.values_list("invoice_id", "attempted_at"):
        found[invoice_id].append(at)
    return found


def most_within(moments: list[datetime], days: int) -> int:
    window = timedelta(days=days)
    return max(sum(begin <= other < begin + window for other in moments) for begin in moments)


def per_day() -> dict[tuple[int, date], int]:
    """Charges of ours by invoice and day."""
    found: dict[tuple[int, date], int] = defaultdict(int)
    rows = BillingOrder.objects.filter(kind=OrderKind.PAY, made_by="platform", sent_at__isnull=False)
    for invoice_id, at in rows.values_list("invoice_id", "sent_at"):
        found[invoice_id, at.date()] += 1
    return found


def after_hard() -> list[int]:
    """Invoices whose card was charged after its bank had refused it for good."""
    stopped: dict[tuple[int, str], datetime] = {}
    wrong = []
    for row in PaymentAttempt.objects.order_by("attempted_at", "pk"):
        key = (row.invoice_id, row.fingerprint)
        if key in stopped:
            wrong.append(row.invoice_id)
        if row.decline_code in HARD_FOR_GOOD:
            stopped[key] = row.attempted_at
    return wrong
