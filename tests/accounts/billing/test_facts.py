"""Facts of the provider applied by hand: MRR, terms over time, why a subscription ended, cards, accounts, people."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.gateways.stripe import parsing, parsing_payments
from accounts.gateways.stripe.facts import (
    CustomerFacts,
    DiscountFacts,
    ItemFacts,
    MethodFacts,
    PriceFacts,
    SubscriptionFacts,
    Tier,
)
from accounts.models import (
    Account,
    BillingCustomer,
    BillingMessage,
    Contact,
    Job,
    MrrMovement,
    PaymentMethod,
    Plan,
    Subscription,
)
from accounts.services.billing_mirror import apply_customer, apply_method
from accounts.services.billing_mrr import mrr_minor
from accounts.services.billing_prices import apply_price
from accounts.services.billing_subscriptions import apply_subscription
from accounts.services.person_erasure import erase
from tests.builders import make_account

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
PRICE = PriceFacts("price_1", "prod_1", "Growth", "", "USD", Decimal(4900), "month", 1, False)
CUSTOMER = CustomerFacts("cus_1", created_at=NOW - 90 * DAY, name="Northwind", email="pay@northwind.example")


def sub(**fields: object) -> SubscriptionFacts:
    values = {
        "id": "sub_1", "customer_id": "cus_1", "status": "active", "currency": "USD",
        "items": (ItemFacts(PRICE, 1, NOW - 10 * DAY, NOW + 20 * DAY),), "started_at": NOW - 60 * DAY,
    }  # fmt: skip
    return SubscriptionFacts(**{**values, **fields})  # type: ignore[arg-type]


def item(quantity: int = 1, **price: object) -> tuple[ItemFacts, ...]:
    return (ItemFacts(replace(PRICE, **price), quantity, None, None),)  # type: ignore[arg-type]


def off(**fields: object) -> tuple[DiscountFacts, ...]:
    return (DiscountFacts("co", **{"duration": "forever", **fields}),)  # type: ignore[arg-type]


TIERS = (Tier(10, Decimal(500), Decimal(0)), Tier(None, Decimal(300), Decimal(1000)))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (sub(), 4900),
        (sub(items=item(7)), 34_300),
        (sub(items=item(interval="year", unit_amount=Decimal(120_000))), 10_000),
        (sub(items=item(interval="month", interval_count=3)), 1633),
        (sub(items=item(interval="week", unit_amount=Decimal(700))), 3044),
        (sub(items=item(is_metered=True)), 0),
        (sub(items=(*item(2), *item(1, interval="year", unit_amount=Decimal(1200)))), 9900),
        (sub(items=item(10, unit_amount=Decimal("0.5"))), 5),
        (sub(items=item(7, divide_by=5, rounds_up=True)), 9800),
        (sub(items=item(12, is_tiered=True, tiers_mode="graduated", tiers=TIERS)), 6600),
        (sub(items=item(12, is_tiered=True, tiers_mode="volume", tiers=TIERS)), 4600),
        (sub(discounts=off(percent_off=Decimal(25))), 3675),
        (sub(discounts=off(amount_off=900)), 4000),
        (
            sub(items=item(interval="year", unit_amount=Decimal(120_000)), discounts=off(amount_off=12_000)),
            9000,
        ),
        (sub(discounts=off(percent_off=Decimal(50), duration="once")), 4900),
        (sub(discounts=off(percent_off=Decimal(50), duration="repeating", ends_at=NOW + DAY)), 2450),
        (sub(discounts=off(percent_off=Decimal(50), duration="repeating", ends_at=NOW - DAY)), 4900),
        (sub(discounts=off(amount_off=99_000)), 0),
        (sub(status="trialing"), 0),
        (sub(status="past_due"), 4900),
        (sub(is_collection_paused=True), 4900),
        (sub(status="paused"), 0),
    ],
)
def test_recurring_revenue(found, expected):
    assert mrr_minor(found, NOW) == expected


@pytest.fixture
def here(scope):
    apply_price(PRICE)
    apply_customer(CUSTOMER, fetched_at=NOW, now=NOW)
    return scope


def apply(found: SubscriptionFacts, minutes: int, **options: object) -> Subscription:
    moment = NOW + timedelta(minutes=minutes)
    row = apply_subscription(found, fetched_at=moment, now=moment, **options)
    assert row is not None
    return row


def kinds() -> list[tuple[str, int]]:
    return list(MrrMovement.objects.order_by("occurred_at").values_list("kind", "amount_minor"))


def test_changes_become_movements_dated_by_the_message(here):
    apply(sub(), 1)
    told_at = NOW - timedelta(hours=2)
    apply(sub(items=item(3)), 2, changed_at=told_at)
    assert kinds() == [("new", 4900), ("expansion", 9800)]
    assert MrrMovement.objects.latest("occurred_at").occurred_at == told_at
    assert (Subscription.objects.get().seats, Plan.objects.get().is_per_seat) == (3, True)
    apply(sub(items=item(3)), 3)
    assert len(kinds()) == 2, "the same again changes nothing"


def test_a_trial_is_worth_something_when_it_ends(here):
    trial = NOW - 46 * DAY
    row = apply(sub(trial_ends_at=trial), 1)
    assert [(c.mrr_minor, c.effective_at) for c in row.changes.order_by("effective_at")] == [
        (0, row.started_at),
        (4900, trial),
    ]
    assert MrrMovement.objects.get().occurred_at == trial


@pytest.mark.parametrize(
    ("reason", "feedback", "cause", "words"),
    [
        ("cancellation_requested", "too_expensive", "voluntary", "too_expensive"),
        ("payment_failed", "", "involuntary", "payment_failed"),
        ("payment_disputed", "", "involuntary", "payment_disputed"),
        ("", "", "unknown", ""),
    ],
)
def test_why_it_ended(here, reason, feedback, cause, words):
    apply(sub(), 1)
    row = apply(sub(status="canceled", ended_at=NOW - DAY, reason=reason, feedback=feedback), 2)
    assert (row.status, row.ended_cause, row.ended_reason) == ("canceled", cause, words)
    assert kinds() == [("new", 4900), ("churn", -4900)]


@pytest.mark.parametrize("is_known", [True, False])
def test_what_was_never_paid_was_over_when_it_began(here, is_known):
    if is_known:
        apply(sub(status="incomplete"), 1)
    row = apply(sub(status="incomplete_expired", ended_at=NOW), 2)
    assert (row.status, row.ended_at, kinds()) == ("incomplete_expired", row.started_at, [])


@pytest.mark.parametrize("told_at", [NOW + timedelta(minutes=30), NOW + timedelta(days=2)])
def test_what_changed_unread_before_the_end_is_lost_with_it(here, told_at):
    apply(sub(), 1)
    ended = sub(status="canceled", ended_at=NOW + timedelta(hours=1), items=item(4))
    row = apply(ended, 120, changed_at=told_at)
    assert (row.seats, row.mrr_minor) == (4, 19_600)
    assert kinds() == [("new", 4900), ("expansion", 14_700), ("churn", -19_600)]
    apply(ended, 180)
    assert len(kinds()) == 3


def test_an_older_read_changes_nothing(here):
    apply(sub(items=item(3)), 5)
    early = NOW + timedelta(minutes=4)
    assert apply_subscription(sub(), fetched_at=early, now=NOW + timedelta(minutes=6)) is None
    assert Subscription.objects.get().mrr_minor == 14_700


def test_the_updater_gives_a_blocked_card_back(here):
    card = MethodFacts("pm_1", "card", "cus_1", NOW, "visa", "4242", 12, 2026, "US", "print-1")
    apply_method(card, fetched_at=NOW, now=NOW)
    PaymentMethod.objects.update(blocked_at=NOW, blocked_code="expired_card")
    renewed = replace(card, exp_year=2029, last4="1111")
    later = NOW + DAY
    row = apply_method(renewed, fetched_at=later, now=later, replaced_at=later)
    assert (row.blocked_at, row.replaced_at, row.last4) == (None, later, "1111")
    assert (
        apply_method(replace(renewed, customer_id=""), fetched_at=later + DAY, now=later).detached_at == later
    )


def test_whose_customer_it_is(scope):
    own = make_account("Fabrikam", external_id="acc-7")
    first = replace(CUSTOMER, metadata={})
    row = apply_customer(first, fetched_at=NOW, now=NOW)
    assert (row.account.external_id, row.account.name) == ("cus_1", "Northwind")
    assert Contact.objects.get(account=row.account).role == "billing"
    apply_price(PRICE)
    apply(sub(), 1)
    moved = apply_customer(
        replace(CUSTOMER, metadata={"account": "acc-7"}), fetched_at=NOW + DAY, now=NOW + DAY
    )
    assert moved.account == own == Subscription.objects.get().account
    assert {m.account_id for m in MrrMovement.objects.all()} == {own.pk}
    assert Account.objects.count() == 2
    assert not Job.objects.filter(kind="health.account_changed", object_id=own.pk).exists()


def test_an_erased_person_does_not_come_back(here):
    contact = Contact.objects.get(email=CUSTOMER.email)
    for name, address in (("theirs", CUSTOMER.email), ("another", "joe@northwind.example")):
        BillingMessage.objects.create(
            message_id=name, made_at=NOW, received_at=NOW, body=f'{{"email": "{address}"}}'.encode()
        )
    erase(contact=contact, now=NOW)
    assert BillingCustomer.objects.get().email == ""
    kept = BillingMessage.objects.exclude(body=None).values_list("message_id", flat=True)
    assert list(kept) == ["another"]
    apply_customer(CUSTOMER, fetched_at=NOW + DAY, now=NOW + DAY)
    row = BillingCustomer.objects.get()
    assert (row.name, row.email) == ("", "")
    assert not Contact.objects.filter(email=CUSTOMER.email).exists()


def test_prices_of_one_product_are_plans_with_names_of_their_own(here):
    for number, interval in enumerate(("year", "year", "week")):
        apply_price(replace(PRICE, id=f"price_{number + 2}", interval=interval))
    names = list(Plan.objects.order_by("external_id").values_list("name", flat=True))
    assert names == ["Growth", "Growth (yearly)", "Growth (yearly USD)", "Growth (weekly)"]


@pytest.mark.parametrize(
    ("code", "stripes", "ours"),
    [
        ("usd", 4900, 4900),
        ("krw", 49000, 49000),
        ("jpy", 4900, 4900),
        ("kwd", 15250, 15250),
        ("isk", 490000, 4900),
        ("ugx", 490000, 4900),
        ("mga", 4900, 490000),
    ],
)
def test_amounts_are_minor_units_of_their_currency(code, stripes, ours):
    """Stripe counts króna and shilling in hundredths that do not exist, and the ariary whole."""
    bill = {"id": "in_1", "customer": "cus_1", "currency": code, "created": 1, "amount_due": stripes}
    found = parsing_payments.invoice(bill | {"amount_paid": 0, "amount_remaining": stripes})
    assert (found.amount_due_minor, found.amount_remaining_minor, found.currency) == (
        ours,
        ours,
        code.upper(),
    )
    price = {"id": "price_1", "product": "prod_1", "currency": code, "unit_amount": stripes}
    tiers = [{"up_to": None, "unit_amount": stripes, "flat_amount": stripes}]
    assert parsing.price(price).unit_amount == ours
    assert parsing.price(price | {"tiers": tiers}).tiers == (Tier(None, Decimal(ours), Decimal(ours)),)
    coupon = {"id": "c", "amount_off": stripes, "currency": code}
    assert parsing.discount({"source": {"coupon": coupon}}).amount_off == ours
    charge = {"id": "ch_1", "status": "succeeded", "amount": stripes, "currency": code, "created": 1}
    assert parsing_payments.charge(charge).amount_minor == ours
