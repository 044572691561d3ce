"""A page that is written at once ends exactly as its rows written one by one, whatever is here already."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

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
from accounts.services.billing_customer_pages import apply_customers
from accounts.services.billing_invoices import apply_charges, apply_invoice
from accounts.services.billing_mirror import apply_customer, apply_price, is_stale
from accounts.services.billing_pages import apply_invoices, apply_subscriptions, apply_tries
from accounts.services.billing_subscriptions import apply_subscription
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
    Invoice, PaymentAttempt,
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


def prepare(world: World) -> None:
    """What is here before: accounts of a file, an erased person, some of the rows, older or newer."""
    chance = random.Random(world.chance.random())
    for price in PRICES:
        apply_price(price)
    known = make_account("Known", external_id="acc-1")
    Contact.objects.create(account=known, external_id="c-1", email="pay@shared.example", created_at=NOW)
    Contact.objects.create(account=known, external_id="cus_3", email="old@own.example", created_at=NOW)
    remember([f"c{number}@own.example" for number in (0, 2, 4)], tombstone="gone", now=NOW)

    def some(rows):
        return [one for one in rows if chance.random() < 0.3]

    def moment() -> datetime:
        return NOW + timedelta(minutes=chance.choice([-5, 5]))

    for one in some(world.customers):
        apply_customer(one, fetched_at=moment(), now=NOW)
    for one in some(world.subscriptions):
        apply_subscription(one, fetched_at=moment(), now=NOW)
    for one in some(world.invoices):
        row = apply_invoice(one, fetched_at=moment(), now=NOW)
        if row is not None and one.id in world.tries:
            apply_charges(row, world.tries[one.id][:1])
    Job.objects.filter(workspace_id=current_workspace_id()).delete()


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


@pytest.mark.parametrize("worlds", [4, pytest.param(200, marks=pytest.mark.soak)], ids=["quick", "long"])
def test_a_page_ends_as_its_rows_one_by_one(cast, worlds):
    seeds = random.Random(4) if worlds < 100 else random.Random()
    at_once = 0
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
        at_once += len(ends[0]["Invoice"])
        for name, rows in ends[0].items():
            assert rows == ends[1][name], (seed, name)
    print(f"{worlds} worlds, {at_once} invoices: pages end as rows one by one")
