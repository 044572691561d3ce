"""Anything in any order: whatever a shop does, the fake's books stay right and nothing in it breaks."""

import random

import pytest
import stripe

from tests.fake_stripe.shapes import object_problems
from tests.fake_stripe.shop import MONTHLY, Shop
from tests.fake_stripe.test_shapes import CLASSES, everything

CODES = ["ok", "ok", "ok", "insufficient_funds", "lost_card", "3ds", "processing_error"]


class Walker:
    """Random acts on a few customers; a refusal by the fake is fine, a bug in it is not."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop, self.api, self.dice = shop, shop.stripe, random.Random(seed)
        self.customers = [shop.customer(*self.dice.choices(CODES, k=4))[0] for _ in range(4)]
        self.coupon = self.api.coupons.create(
            {"percent_off": 30, "duration": "repeating", "duration_in_months": 2}
        )
        product = self.api.prices.retrieve(shop.price).product
        recurring = {"interval": "month"}
        self.dear = self.api.prices.create(
            {"product": product, "unit_amount": 2 * MONTHLY, "currency": "usd", "recurring": recurring}
        ).id

    def any_of(self, service, **where):
        found = service.list({"limit": 100, **where}).data
        return self.dice.choice(found).id if found else "none_found"

    def step(self) -> None:
        act = self.dice.choice([name for name in dir(self) if name.startswith("do_")])
        try:
            getattr(self, act)()
        except stripe.StripeError as refusal:
            if refusal.http_status not in (400, 402, 404):
                raise

    def do_subscribe(self):
        behavior = self.dice.choice(["allow_incomplete", "default_incomplete", "error_if_incomplete"])
        trial = {"trial_period_days": 7} if self.dice.random() < 0.3 else {}
        self.shop.subscribe(self.dice.choice(self.customers), payment_behavior=behavior, **trial)

    def do_advance(self):
        self.shop.fake.advance(days=self.dice.choice([0.1, 1, 3, 16, 31]))

    def do_pay(self):
        options = {"off_session": self.dice.random() < 0.7, "paid_out_of_band": self.dice.random() < 0.1}
        self.api.invoices.pay(self.any_of(self.api.invoices, status="open"), options)

    def do_pay_twice(self):
        invoice = self.any_of(self.api.invoices)
        for _ in range(2):
            self.api.invoices.pay(invoice)

    def do_void(self):
        self.api.invoices.void_invoice(self.any_of(self.api.invoices, status="open"))

    def do_give_up(self):
        self.api.invoices.mark_uncollectible(self.any_of(self.api.invoices, status="open"))

    def do_authenticate(self):
        for intent in self.api.payment_intents.list({"limit": 100}).data:
            if intent.status == "requires_action":
                succeed = self.dice.random() < 0.7
                self.shop.fake.control("POST", "authenticate", intent=intent.id, succeed=succeed)

    def do_pause(self):
        self.api.subscriptions.pause(self.any_of(self.api.subscriptions))

    def do_resume(self):
        self.api.subscriptions.resume(self.any_of(self.api.subscriptions, status="paused"))

    def do_hold_collection(self):
        behavior = self.dice.choice(["void", "keep_as_draft", "mark_uncollectible"])
        wish = self.dice.choice(["", {"behavior": behavior}])
        self.api.subscriptions.update(self.any_of(self.api.subscriptions), {"pause_collection": wish})

    def do_switch(self):
        subscription = self.api.subscriptions.retrieve(self.any_of(self.api.subscriptions))
        price = self.dice.choice([self.dear, self.shop.price])
        behavior = self.dice.choice(["always_invoice", "create_prorations", "none"])
        item = {"id": subscription["items"].data[0].id, "price": price}
        self.api.subscriptions.update(subscription.id, {"items": [item], "proration_behavior": behavior})

    def do_discount(self):
        wish = {"discounts": self.dice.choice(["", [{"coupon": self.coupon.id}]])}
        self.api.subscriptions.update(self.any_of(self.api.subscriptions), wish)

    def do_cancel(self):
        if self.dice.random() < 0.5:
            self.api.subscriptions.cancel(self.any_of(self.api.subscriptions))
        else:
            wish = {"cancel_at_period_end": self.dice.random() < 0.7}
            self.api.subscriptions.update(self.any_of(self.api.subscriptions), wish)

    def do_new_plan(self):
        steps = self.dice.choices(CODES, k=3)
        self.shop.fake.outcomes(steps, customer=self.dice.choice(self.customers))

    def do_refund(self):
        self.api.refunds.create({"charge": self.any_of(self.api.charges)})


def check_books(shop: Shop) -> None:
    """One success per invoice at most; paid by Stripe exactly if the ledger says so, with the same amount."""
    summary = shop.fake.summary()
    assert summary["doubles"] == {}
    taken = {row["invoice"]: row["amount"] for row in shop.fake.ledger(status="succeeded")}
    for invoice in shop.stripe.invoices.list({"limit": 100}).auto_paging_iter():
        charged = invoice.status == "paid" and invoice.amount_paid > 0 and not invoice.amount_paid_off_stripe
        assert (invoice.id in taken) == charged, invoice.id
        if charged:
            assert taken.pop(invoice.id) == invoice.amount_paid == invoice.amount_due
        assert invoice.amount_remaining == max(0, invoice.amount_due - invoice.amount_paid)
    assert taken == {}


def check_standing(shop: Shop) -> None:
    """A subscription that ended says when, a paused one why; one that runs has a period ahead of the clock."""
    now = shop.fake.now()
    for one in shop.stripe.subscriptions.list({"status": "all", "limit": 100}).auto_paging_iter():
        assert (one.ended_at is not None) == (one.status in ("canceled", "incomplete_expired"))
        assert (one.status_details is not None) == (one.status == "paused"), one.id
        if one.status in ("active", "past_due", "trialing"):
            assert one["items"].data[0].current_period_end > now


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(one, marks=pytest.mark.soak) for one in range(3, 43))])
def test_a_walk_of_150_steps(shop, seed):
    walker = Walker(shop, seed)
    shop.fake.settings(retry_days=[3, 5] if seed == 2 else [], end_state="pause")
    for _ in range(150):
        walker.step()
    check_books(shop)
    check_standing(shop)
    print(f"seed {seed}: 150 steps, {shop.fake.summary()}")
    bugs = [row for row in shop.fake.stats()["problems"] if "bug in the fake" in row["problem"]]
    assert bugs == []
    found = {text for one in everything(shop) for text in object_problems(one, CLASSES[one["object"]])}
    assert sorted(found) == []
