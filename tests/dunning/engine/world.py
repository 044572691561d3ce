"""Failed payments as both sides see them: seeded at the fake Stripe, mirrored here, with their cases.

Call inside the workspace's scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import (
    Account,
    BillingConnection,
    BillingCustomer,
    BillingOrder,
    Invoice,
    Job,
    OrderKind,
    PaymentAttempt,
    PaymentMethod,
)
from dunning.cases.steps import Opened, RetryPlanned
from dunning.cases.transitions import replay
from dunning.models import DunningCase, DunningPolicyVersion, DunningStep
from dunning.policy.definition import PolicyDefinition
from dunning.policy.judging import Refusal
from dunning.services.case_steps import CASE_JOB, begin_book, columns_of, history
from dunning.services.cases import open_case
from dunning.services.notice_sequence import the_sequence
from dunning.services.policies import definition_of, the_policy, version_in_force
from health.models import Sequence as NoticeSequence
from tests.fake_stripe.running import KEY, FakeStripe

AMOUNT = 4900
# What a charge reads and writes.
MODELS = (
    Account,
    BillingCustomer,
    BillingOrder,
    DunningCase,
    DunningStep,
    Invoice,
    Job,
    PaymentAttempt,
    PaymentMethod,
)


def connect(per_second: int = 1000) -> BillingConnection:
    connected: BillingConnection = BillingConnection.objects.create(
        api_key=KEY,
        webhook_secret="whsec_test",
        connected_at=datetime(2026, 1, 1, tzinfo=UTC),
        calls_per_second=per_second,
    )
    return connected


def no_notices() -> None:
    """Charges alone: nobody is written to."""
    definition = PolicyDefinition.defaults().to_json()
    for rule in definition["rules"].values():
        rule["notice"] = "never"
    the_policy()
    DunningPolicyVersion.objects.update(definition=definition)


def put_notices_away() -> None:
    """Nor is anybody looked for who could be told when a person must act."""
    sequence = the_sequence()
    NoticeSequence.objects.filter(pk=sequence.pk).update(archived_at=datetime(2026, 1, 1, tzinfo=UTC))


def mirror(fake: FakeStripe, seeded: dict[str, list[str]]) -> list[Invoice]:
    """What a synchronisation would have written of these customers."""
    count = len(seeded["customers"])
    ledger = {row["invoice"]: row for row in fake.ledger()}
    at = {key: moment(row["at"]) for key, row in ledger.items()}
    accounts = Account.objects.bulk_create(
        Account(external_id=key, name=f"Account {n}", created_at=datetime(2025, 1, 1, tzinfo=UTC))
        for n, key in enumerate(seeded["customers"])
    )
    customers = BillingCustomer.objects.bulk_create(
        BillingCustomer(account=accounts[n], external_id=seeded["customers"][n], default_method=method)
        for n, method in enumerate(seeded["payment_methods"])
    )
    PaymentMethod.objects.bulk_create(
        PaymentMethod(
            customer=customers[n],
            external_id=method,
            kind="card",
            brand="visa",
            last4="4242",
            fingerprint=f"print{n}",
            created_at=datetime(2025, 1, 1, tzinfo=UTC),
        )
        for n, method in enumerate(seeded["payment_methods"])
    )
    invoices = Invoice.objects.bulk_create(
        Invoice(
            account=accounts[n],
            customer=customers[n],
            external_id=key,
            amount_minor=AMOUNT,
            currency="USD",
            status="open",
            due_at=at[key],
            provider="stripe",
            collection_method="charge_automatically",
        )
        for n, key in enumerate(seeded["invoices"])
    )
    PaymentAttempt.objects.bulk_create(
        PaymentAttempt(
            invoice=invoices[n],
            account=accounts[n],
            number=1,
            attempted_at=at[key],
            status="failed",
            decline_code=ledger[key]["code"],
            external_id=ledger[key]["charge"],
            amount_minor=AMOUNT,
            method=seeded["payment_methods"][n],
            fingerprint=f"print{n}",
            brand="visa",
        )
        for n, key in enumerate(seeded["invoices"])
    )
    assert len(invoices) == count
    return list(invoices)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def fail(fake: FakeStripe, plans: Sequence[Sequence[Any]], count: int) -> list[Invoice]:
    """So many customers whose first charge failed; the n-th card answers by the (n mod len)-th plan."""
    return mirror(fake, fake.seed(count, plans=[list(plan) for plan in plans], amount=AMOUNT))


def open_cases(invoices: Iterable[Invoice], now: datetime) -> list[DunningCase]:
    found = [open_case(invoice, now=now) for invoice in invoices]
    return [case for case in found if case is not None]


def cases_with_due_retries(invoices: Sequence[Invoice], now: datetime) -> None:
    """As `open_case` leaves them, in bulk, and the first retry is due."""
    version = version_in_force()
    policy = definition_of(version)
    attempts = {row.invoice_id: row for row in PaymentAttempt.objects.all()}
    cases, steps = [], []
    for invoice in invoices:
        first = attempts[invoice.pk]
        case = DunningCase(invoice=invoice, account_id=invoice.account_id, policy_version=version)
        book = begin_book(case, _opened(first, policy), at=now - timedelta(minutes=1))
        planned = RetryPlanned(at=now, reason="spaced")
        book.record(planned, at=now - timedelta(minutes=1))
        for name, value in columns_of(book.state).items():
            setattr(case, name, value)
        cases.append(case)
        steps += book._new
    DunningCase.objects.bulk_create(cases, batch_size=2000)
    for step in steps:
        step.case_id = step.case.pk
    DunningStep.objects.bulk_create(steps, batch_size=5000)
    Job.objects.bulk_create(
        [Job(workspace_id=case.workspace_id, kind=CASE_JOB, object_id=case.pk, due_at=now) for case in cases],
        batch_size=5000,
    )


def _opened(first: PaymentAttempt, policy: PolicyDefinition) -> Opened:
    return Opened(
        amount_minor=AMOUNT,
        currency="USD",
        failed_at=first.attempted_at,
        ends_at=first.attempted_at + policy.duration,
        decline_code=first.decline_code,
        decline_class=str(policy.judge(Refusal(first.decline_code)).decline_class),
    )


def let_pass() -> None:
    """As if the time of every job had come; what the case itself says is due is another matter."""
    Job.objects.update(due_at=datetime(2000, 1, 1, tzinfo=UTC))


def unexplained() -> list[int]:
    """Cases whose history does not replay to what is stored of them."""
    wrong = []
    for case in DunningCase.objects.all():
        replayed = columns_of(replay(history(case)))
        if any(getattr(case, name) != value for name, value in replayed.items()):
            wrong.append(case.pk)
    return wrong


def disagreements(fake: FakeStripe) -> dict[str, Any]:
    """Where our books and the provider's ledger differ: nothing, in a sound world.

    One charge per order that left, made with that order's key; one success per invoice at most; money booked is
    money taken; and no order or attempt without its charge.
    """
    ledger = [row for row in fake.ledger() if row["key"]]
    orders = {o.key: o for o in BillingOrder.objects.filter(kind=OrderKind.PAY)}
    by_key: dict[str, list[Any]] = {}
    for row in ledger:
        by_key.setdefault(row["key"], []).append(row)
    booked = dict(PaymentAttempt.objects.filter(order__isnull=False).values_list("external_id", "status"))
    taken = {row["charge"]: row["status"] for row in ledger}
    paid = set(Invoice.objects.filter(status="paid").values_list("external_id", flat=True))
    found: dict[str, Any] = {
        "charged twice": fake.summary()["doubles"],
        "keys that charged more than once": [key for key, rows in by_key.items() if len(rows) > 1],
        "charges without an order": sorted(set(by_key) - set(orders)),
        "charges not booked": sorted(set(taken) - set(booked)),
        "booked without a charge": sorted(set(booked) - set(taken)),
        "booked otherwise": [c for c in set(taken) & set(booked) if taken[c] != booked[c]],
        "paid there, not here": sorted({r["invoice"] for r in ledger if r["status"] == "succeeded"} - paid),
        "open orders": [o.key for o in orders.values() if o.state in ("planned", "sent", "unknown")],
    }
    return {question: answer for question, answer in found.items() if answer}


def forget() -> None:
    """Nothing has failed: for the next part of a test that begins anew."""
    DunningStep.objects.all().delete()
    DunningCase.objects.all().delete()
    Job.objects.all().delete()
    PaymentAttempt.objects.all().delete()
    Invoice.objects.all().delete()
    PaymentMethod.objects.all().delete()
    BillingCustomer.objects.all().delete()
    Account.objects.all().delete()
