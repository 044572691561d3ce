"""A page that is written at once ends exactly as its rows written one by one, whatever is here already."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.gateways.stripe.facts import (
    ChargeFacts,
    CustomerFacts,
    InvoiceFacts,
    ItemFacts,
    MethodFacts,
    PaymentFacts,
    PriceFacts,
    SubscriptionFacts,
)
from accounts.models import (
    Account,
    BillingCustomer,
    BillingOrder,
    Contact,
    Invoice,
    Job,
    MrrMovement,
    PaymentAttempt,
    PaymentMethod,
    Plan,
    Subscription,
    SubscriptionChange,
)
from accounts.services import billing_customer_pages, billing_pages
from accounts.services.billing_customer_pages import apply_customers
from accounts.services.billing_invoices import apply_charges, apply_invoice
from accounts.services.billing_mirror import apply_customer, customer_values, is_stale
from accounts.services.billing_pages import apply_invoices, apply_subscriptions
from accounts.services.billing_prices import apply_price, apply_prices
from accounts.services.billing_subscriptions import apply_subscription
from accounts.services.billing_try_pages import apply_tries
from accounts.services.billing_unchanged import note_read
from accounts.services.erased import remember
from accounts.signals import invoice_changed
from cs_platform.lib.scoping import current_workspace_id, workspace_scope
from tests.builders import make_account

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
PRICES = [
    PriceFacts(
        f"price_{n}", f"prod_{n}", f"Plan {n}", "", currency, Decimal(4900 * (n + 1)), interval, 1, False
    )
    for n, (currency, interval) in enumerate((("USD", "month"), ("USD", "year"), ("EUR", "month")))
]
MODELS = (
    Account, Contact, BillingCustomer, PaymentMethod, Plan, Subscription, SubscriptionChange, MrrMovement,
    Invoice, BillingOrder, PaymentAttempt,
)  # fmt: skip
NOT_COMPARED = {"id", "public_id", "workspace", "updated_at", "added_at", "known_at"}
Rows = list


class World:
    """Pages of one company by chance: few names, so that they meet."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.customers = [self.customer(n) for n in range(8)]
        self.subscriptions = [self.subscription(n) for n in range(10)]
        self.invoices = [self.invoice(n) for n in range(12)]
        self.tries = {one.id: self.charges(one) for one in self.invoices if self.chance.random() < 0.8}

    def method(self, number: int) -> MethodFacts | None:
        if self.chance.random() < 0.3:
            return None
        key = f"pm_{number}_{self.chance.randrange(2)}"
        return MethodFacts(key, "card", f"cus_{number}", NOW - 50 * DAY, "visa", "4242", 12, 2030, "US", key)

    def customer(self, number: int) -> CustomerFacts:
        chance = self.chance
        if chance.random() < 0.1:
            return CustomerFacts(f"cus_{number}", is_deleted=True)
        own = chance.choice(["", "", "acc-1", "acc-2", "acc-2", f"acc-{number + 10}", "cus_1"])
        method = self.method(number)
        return CustomerFacts(
            f"cus_{number}",
            created_at=chance.choice([NOW - 90 * DAY, None]),
            name=chance.choice(["", f"Company {number}"]),
            email=chance.choice(
                ["", "Pay@shared.example", "pay@shared.example", *[f"c{number}@own.example"] * 2]
            ),
            language=chance.choice(["", "ko", "xx"]),
            country=chance.choice(["", "KR"]),
            currency="USD",
            default_method_id=method.id if method else "",
            default_method=method,
            metadata={"account": own} if own else {},
        )

    def subscription(self, number: int) -> SubscriptionFacts:
        chance, payer = self.chance, self.chance.randrange(9)
        items = tuple(
            ItemFacts(chance.choice(PRICES), chance.randint(1, 3), NOW - 5 * DAY, NOW + 25 * DAY)
            for _ in range(chance.randint(1, 2))
        )
        began = NOW - chance.randint(30, 60) * DAY
        ended = chance.choice([None, None, NOW - 2 * DAY, began + DAY])
        method = self.method(payer)
        return SubscriptionFacts(
            f"sub_{number}",
            f"cus_{payer}",
            "canceled" if ended else chance.choice(["active", "past_due", "trialing", "incomplete"]),
            items[0].price.currency,
            items,
            began,
            ended_at=ended,
            cancel_at=chance.choice([None, NOW + DAY]),
            trial_ends_at=chance.choice([None, NOW - 20 * DAY, NOW + DAY]),
            reason=chance.choice(["", "payment_failed", "cancellation_requested"]) if ended else "",
            default_method_id=method.id if method else "",
            default_method=method,
        )

    def invoice(self, number: int) -> InvoiceFacts:
        chance = self.chance
        paid = chance.choice([0, 0, 900, 4900])
        return InvoiceFacts(
            f"in_{number}",
            f"cus_{chance.randrange(9)}",
            chance.choice(["", f"sub_{chance.randrange(11)}"]),
            chance.choice(["open", "paid", "uncollectible", "draft", "void"]),
            4900,
            paid,
            4900 - paid,
            "USD",
            NOW - 9 * DAY,
            NOW - 9 * DAY,
            payments=(PaymentFacts(f"pi_{number}", "", "open"),),
        )

    def charges(self, invoice: InvoiceFacts) -> list[ChargeFacts]:
        chance, number = self.chance, invoice.id.removeprefix("in_")
        return [
            ChargeFacts(
                f"ch_{number}_{at}",
                f"pi_{number}",
                chance.choice(["failed", "failed", "succeeded", "pending"]),
                4900,
                0,
                "USD",
                NOW - chance.randint(1, 3) * DAY,
                decline_code="insufficient_funds",
                method_id=f"pm_{number}_0",
            )
            for at in range(chance.randint(1, 4))
        ]


def before(one, chance: random.Random):
    """As it was before: half of the time just as it is now."""
    if chance.random() < 0.5:
        return one
    if isinstance(one, CustomerFacts):
        other = chance.choice(
            [{"name": "Old"}, {"email": "pay@shared.example"}, {"metadata": {}}, {"discount": "x"}]
        )
    elif isinstance(one, SubscriptionFacts):
        other = chance.choice(
            [
                {"status": "active", "ended_at": None, "reason": ""},
                {"items": one.items[:1]},
                {"items": (replace(one.items[0], quantity=2), *one.items[1:])},
                {"cancel_at": NOW + 9 * DAY},
                {"default_method_id": ""},
                {"customer_id": "cus_1"},
                {"items": (replace(one.items[0], price=PRICES[2]),), "currency": "EUR"},
            ]
        )
    else:
        other = chance.choice(
            [
                {"status": "open", "amount_paid_minor": 0},
                {"number": "A-1"},
                {"subscription_id": ""},
                {"payments": ()},
            ]
        )
    method = getattr(one, "default_method", None)
    if method is not None and chance.random() < 0.5:
        other["default_method"] = replace(
            method, **chance.choice([{"exp_year": 2027}, {"brand": "amex"}, {"customer_id": ""}])
        )
    return replace(one, **other)


def ours(kind: str, row, **values) -> None:
    """An order of the platform about this row, done."""
    about = row.external_id
    BillingOrder.objects.create(
        kind=kind, state="failed" if kind == "pay" else "succeeded", account=row.account, key=f"{kind}:{about}",
        on_day=NOW.date(), planned_at=NOW, sent_at=NOW, **values,
    )  # fmt: skip


def prepare(world: World) -> None:
    """What is here before: accounts of a file, an erased person, some of the rows, older or newer, as they are
    or otherwise."""
    chance = random.Random(world.chance.random())
    for price in PRICES:
        apply_price(price)
    known = make_account("Known", external_id="acc-1")
    for number in range(10, 18):
        make_account(f"Own {number}", external_id=f"acc-{number}")
    Contact.objects.create(account=known, external_id="c-1", email="pay@shared.example", created_at=NOW)
    Contact.objects.create(account=known, external_id="cus_3", email="old@own.example", created_at=NOW)
    remember([f"c{number}@own.example" for number in (0, 2, 4)], tombstone="gone", now=NOW)
    prepare_rows(world, chance)
    for row in Subscription.objects.filter(ended_at__isnull=False).order_by("pk"):
        if chance.random() < 0.5:
            ours("cancel", row, subscription=row)
    for row in PaymentAttempt.objects.filter(number=1).exclude(external_id="").order_by("pk")[:3]:
        ours("pay", row, invoice=row.invoice, provider_ref=row.external_id, amount_minor=4900)
    for number in range(8):
        if chance.random() < 0.2:  # somebody took the person away, or gave them another address
            Contact.objects.filter(external_id=f"cus_{number}").update(email=f"other{number}@own.example")
    if chance.random() < 0.3:
        Contact.objects.filter(email="pay@shared.example").update(email="PAY@Shared.example")
    Job.objects.filter(workspace_id=current_workspace_id()).delete()


def prepare_rows(world: World, chance: random.Random) -> None:
    share, newer = chance.choice([0.3, 0.9]), chance.choice([0.1, 0.5])

    def some(rows):
        return [before(one, chance) for one in rows if chance.random() < share]

    def moment() -> datetime:
        return NOW + timedelta(minutes=5 if chance.random() < newer else -5)

    for one in some(world.customers):
        apply_customer(one, fetched_at=moment(), now=NOW)
    for one in some(world.subscriptions):
        apply_subscription(one, fetched_at=moment(), now=NOW)
    for one in some(world.invoices):
        row = apply_invoice(one, fetched_at=moment(), now=NOW)
        if row is None:
            continue
        tries = [replace(t, status=chance.choice([t.status, "pending"])) for t in world.tries.get(one.id, [])]
        apply_charges(row, tries[: chance.choice([0, 1, 4, 4])])
        if chance.random() < 0.1:
            PaymentAttempt.objects.create(
                invoice=row, account=row.account, number=90, attempted_at=NOW, status="failed"
            )


def by_page(world: World) -> None:
    later = NOW + timedelta(minutes=2)
    apply_customers(world.customers[::-1], fetched_at=NOW, now=later)
    apply_subscriptions(world.subscriptions[::-1], fetched_at=NOW, now=later)
    apply_invoices(world.invoices[::-1], fetched_at=NOW, now=later)
    apply_tries(world.tries, fetched_at=later)


def one_by_one(world: World) -> None:
    later = NOW + timedelta(minutes=2)
    for customer in sorted(world.customers, key=lambda one: one.id):
        apply_customer(customer, fetched_at=NOW, now=later)
    for subscription in sorted(world.subscriptions, key=lambda one: one.id):
        apply_subscription(subscription, fetched_at=NOW, now=later)
    for invoice in sorted(world.invoices, key=lambda one: one.id):
        apply_invoice(invoice, fetched_at=NOW, now=later)
    for key, charges in sorted(world.tries.items()):
        row = Invoice.objects.filter(external_id=key).first()
        if row is None or is_stale(row, later):
            continue
        is_news = apply_charges(row, charges)
        if is_news and row.status == "open" and any(one.status == "failed" for one in charges):
            invoice_changed.send(row.pk)


def everything() -> dict[str, Rows]:
    """Every row without our own numbers, and the jobs by what they are about."""
    names: dict[tuple[str, int], str] = {}
    found: dict[str, Rows] = {}
    for model in MODELS:
        fields = [field for field in model._meta.concrete_fields if field.name not in NOT_COMPARED]
        rows = []
        for row in model.objects.order_by("pk"):
            told = {field.name: getattr(row, field.attname) for field in fields}
            for field in fields:
                if field.is_relation and told[field.name] is not None:
                    key = (field.related_model.__name__, told[field.name])
                    told[field.name] = names.get(key, "?")
            name = told.get("external_id") or str(sorted(told.items(), key=str))
            names[model.__name__, row.pk] = name
            rows.append(told)
        found[model.__name__] = sorted(rows, key=str)
    abouts = {
        "health.account_changed": "Account", "health.contact_changed": "Contact",
        "dunning.customer": "BillingCustomer", "dunning.subscription": "Subscription",
    }  # fmt: skip
    jobs = Job.objects.filter(workspace_id=current_workspace_id()).values_list("kind", "object_id")
    found["jobs"] = sorted((kind, names[abouts.get(kind, "Invoice"), about]) for kind, about in jobs)
    return found


@pytest.mark.parametrize("worlds", [5, pytest.param(200, marks=pytest.mark.soak)], ids=["quick", "long"])
def test_a_page_ends_as_its_rows_one_by_one(cast, monkeypatch, worlds):
    seeds = random.Random(4) if worlds < 100 else random.Random()
    rows_seen, noted = 0, 0

    def counted(rows, fetched_at):
        nonlocal noted
        noted += len(rows)
        note_read(rows, fetched_at)

    for module in (billing_pages, billing_customer_pages):
        monkeypatch.setattr(module, "note_read", counted)
    for _ in range(worlds):
        seed = seeds.randrange(2**32)
        ends = []
        for workspace, write in ((cast.workspace, by_page), (cast.other, one_by_one)):
            world = World(seed)
            with workspace_scope(workspace.pk):
                for model in reversed(MODELS):
                    model.objects.all().delete()
                prepare(world)
                write(world)
                ends.append(everything())
        rows_seen += sum(len(ends[0][model.__name__]) for model in MODELS)
        for name, rows in ends[0].items():
            assert rows == ends[1][name], (seed, name)
    print(
        f"{worlds} worlds, {rows_seen} rows, {noted} of them only noted as read: pages end as rows one by one"
    )
    assert noted > worlds


def test_a_person_who_moves_away_on_this_page_is_nobody_elses(scope):
    """The address that gets a customer's bills was brought by another customer, who takes it along."""
    here, there = make_account("Here", external_id="here"), make_account("There", external_id="there")
    for number, account in ((1, there), (2, here)):
        one = CustomerFacts(f"cus_{number}", email="pay@own.example")
        values = customer_values(one, account, NOW - DAY, is_gone=False)
        BillingCustomer.objects.create(external_id=one.id, **values)
    Contact.objects.create(account=here, external_id="cus_1", email="pay@own.example", created_at=NOW)
    page = [CustomerFacts("cus_1", email="new@own.example"), CustomerFacts("cus_2", email="pay@own.example")]
    apply_customers(page, fetched_at=NOW, now=NOW)
    told = Contact.objects.order_by("external_id").values_list("external_id", "account__name", "email")
    assert list(told) == [("cus_1", "There", "new@own.example"), ("cus_2", "Here", "pay@own.example")]


def test_what_comes_again_as_it_is_costs_the_same_few_statements_for_many(cast):
    """Customers, their payment methods, subscriptions, invoices and charges."""
    counts = []
    for many in (10, 60):
        page, later = page_of(many), NOW + timedelta(minutes=1)
        with workspace_scope(cast.workspace.pk):
            write(page, NOW)
            Job.objects.filter(workspace_id=current_workspace_id()).delete()
            with CaptureQueriesContext(connection) as asked:
                write(page, later)
            counts.append(len(asked))
            assert not Job.objects.filter(workspace_id=current_workspace_id()).exists()
            for model in (BillingCustomer, PaymentMethod, Subscription, Invoice):
                assert model.objects.filter(fetched_at=later).count() == many
    assert counts[0] == counts[1] <= 30


def write(page: tuple[list, list, list, dict], at: datetime) -> None:
    people, terms, bills, tries = page
    apply_prices(PRICES)
    apply_customers(people, fetched_at=at, now=NOW)
    apply_subscriptions(terms, fetched_at=at, now=NOW)
    apply_invoices(bills, fetched_at=at, now=NOW)
    apply_tries(tries, fetched_at=at + DAY)


def page_of(many: int) -> tuple[list, list, list, dict]:
    """Of so many customers one of each, all plain."""
    item = ItemFacts(PRICES[0], 1, NOW - 5 * DAY, NOW + 25 * DAY)
    cards = [
        MethodFacts(f"pm_{n}", "card", f"cus_{n}", NOW - 50 * DAY, "visa", "4242", 12, 2030, "US", f"pm_{n}")
        for n in range(many)
    ]
    people = [
        CustomerFacts(
            f"cus_{n}", created_at=NOW - 90 * DAY, name=f"Company {n}", email=f"c{n}@own.example",
            currency="USD", default_method_id=f"pm_{n}", default_method=cards[n],
        )
        for n in range(many)
    ]  # fmt: skip
    terms = [
        SubscriptionFacts(f"sub_{n}", f"cus_{n}", "active", "USD", (item,), NOW - 40 * DAY)
        for n in range(many)
    ]
    bills = [
        InvoiceFacts(
            f"in_{n}", f"cus_{n}", f"sub_{n}", "open", 4900, 0, 4900, "USD", NOW - 9 * DAY, NOW - 9 * DAY,
            payments=(PaymentFacts(f"pi_{n}", "", "open"),),
        )
        for n in range(many)
    ]  # fmt: skip
    tries = {
        f"in_{n}": [ChargeFacts(f"ch_{n}", f"pi_{n}", "failed", 4900, 0, "USD", NOW - DAY)]
        for n in range(many)
    }
    return people, terms, bills, tries
