"""What may happen to a customer of Stripe, as steps by chance; those that Stripe refuses just then happen not."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import stripe

from accounts.models import (
    BillingCustomer,
    Invoice,
    MrrMovement,
    PaymentAttempt,
    PaymentMethod,
    Subscription,
    Workspace,
)
from cs_platform.lib.scoping import workspace_scope
from tests.fake_stripe.running import FakeStripe

DAY = 86_400
PLANS: tuple[list[str], ...] = (["ok"], ["insufficient_funds", "ok"], ["ok", "lost_card"], ["do_not_honor"])
FEEDBACK = ("unused", "too_expensive", "other")


class Life:
    """One customer with up to three subscriptions, a few invoices and cards. Steps are methods that begin with do_."""

    def __init__(self, fake: FakeStripe, chance: random.Random) -> None:
        self.fake, self.chance, self.v1 = fake, chance, fake.client().v1
        made = fake.seed(1, plans=[chance.choice(PLANS)], subscriptions=True, amount=4900)
        self.customer, self.is_discounted = made["customers"][0], False
        self.subscriptions: list[str] = list(made["subscriptions"])
        first = self._shown()["items"]["data"][0]["price"]
        common = {"product": first["product"], "currency": "usd"}
        more = [{**common, "unit_amount": 9900, "recurring": {"interval": "month"}}]
        more.append({**common, "unit_amount": 99_000, "recurring": {"interval": "year"}})
        self.prices = [first["id"], *(self.v1.prices.create(one).id for one in more)]
        kinds: list[dict[str, Any]] = [
            {"percent_off": 50, "duration": "forever"},
            {"amount_off": 700, "currency": "usd", "duration": "repeating", "duration_in_months": 6},
            {"percent_off": 30, "duration": "once"},
        ]
        self.coupons = [self.v1.coupons.create(one).id for one in kinds]

    def step(self) -> str:
        """One thing happens, or is refused; returns its name."""
        names = sorted(name for name in dir(self) if name.startswith("do_"))
        name = self.chance.choice(names)
        act: Callable[[], Any] = getattr(self, name)
        with suppress(stripe.CardError, stripe.InvalidRequestError):
            act()
        return name

    def _subscription(self) -> str:
        return self.chance.choice(self.subscriptions)

    def _shown(self, key: str = "") -> dict[str, Any]:
        return self.v1.subscriptions.retrieve(key or self.subscriptions[0]).to_dict()

    def _change(self, **params: Any) -> None:
        self.v1.subscriptions.update(self._subscription(), params)

    def _invoice(self, *statuses: str) -> str:
        found = self.v1.invoices.list({"customer": self.customer, "limit": 100}).data
        return str(self.chance.choice([one.id for one in found if one.status in statuses] or ["in_none"]))

    # --- subscriptions
    def do_subscribe(self) -> None:
        if len(self.subscriptions) < 3:
            params: dict[str, Any] = {"customer": self.customer, "items": [{"price": self._price()}]}
            if self.chance.random() < 0.4:
                params["trial_period_days"] = self.chance.choice([3, 30])
            self.subscriptions.append(self.v1.subscriptions.create(params).id)

    def _price(self) -> str:
        return self.chance.choice(self.prices)

    def do_quantity(self) -> None:
        key = self._subscription()
        item = self._shown(key)["items"]["data"][0]["id"]
        self.v1.subscriptions.update(key, {"items": [{"id": item, "quantity": self.chance.randint(1, 9)}]})

    do_quantity_again = do_quantity

    def do_switch(self) -> None:
        key = self._subscription()
        item = self._shown(key)["items"]["data"][0]["id"]
        self.v1.subscriptions.update(key, {"items": [{"id": item, "price": self._price()}]})

    def do_discount(self) -> None:
        coupons: Any = [{"coupon": self.chance.choice(self.coupons)}]
        self._change(discounts=self.chance.choice(["", coupons, coupons]))

    def do_customer_discount(self) -> None:
        coupon = self.chance.choice([None, *self.coupons])
        self.fake.control("POST", "discount", customer=self.customer, coupon=coupon)
        self.is_discounted = True

    def do_pause(self) -> None:
        self._change(pause_collection=self.chance.choice(["", {"behavior": "void"}]))

    def do_cancel_later(self) -> None:
        self._change(cancel_at_period_end=self.chance.random() < 0.6)

    def do_end_trial(self) -> None:
        self._change(trial_end="now")

    def do_cancel(self) -> None:
        if self.chance.random() < 0.5:
            details = {"cancellation_details": {"feedback": self.chance.choice(FEEDBACK)}}
            self.v1.subscriptions.cancel(self._subscription(), details)

    # --- invoices
    def do_pay(self) -> None:
        self.v1.invoices.pay(self._invoice("open", "uncollectible"))

    do_pay_again = do_pay

    def do_void(self) -> None:
        self.v1.invoices.void_invoice(self._invoice("open"))

    def do_give_up(self) -> None:
        self.v1.invoices.mark_uncollectible(self._invoice("open"))

    def do_bill_by_hand(self) -> None:
        item: dict[str, Any] = {"customer": self.customer, "amount": 1234, "currency": "usd"}
        self.v1.invoice_items.create(item)
        made = self.v1.invoices.create({"customer": self.customer})
        if self.chance.random() < 0.7:
            self.v1.invoices.finalize_invoice(made.id)

    def do_delete_draft(self) -> None:
        self.v1.invoices.delete(self._invoice("draft"))

    def do_refund(self) -> None:
        charges = self.v1.charges.list({"customer": self.customer, "limit": 100}).data
        good = [one.id for one in charges if one.status == "succeeded"]
        if good:
            self.v1.refunds.create({"charge": self.chance.choice(good), "amount": 100})

    # --- the customer and its cards
    def do_rename(self) -> None:
        self.v1.customers.update(self.customer, {"name": f"Northwind {self.chance.randint(1, 99)}"})

    def do_move(self) -> None:
        self.v1.customers.update(self.customer, {"metadata": {"account": self.chance.choice(["a-1", "a-2"])}})

    def do_new_card(self) -> None:
        card = self.v1.payment_methods.attach("pm_card_visa", {"customer": self.customer})
        if self.chance.random() < 0.5:
            settings: Any = {"default_payment_method": card.id}
            self.v1.customers.update(self.customer, {"invoice_settings": settings})
        else:
            self._change(default_payment_method=card.id)

    def do_answer_otherwise(self) -> None:
        self.fake.outcomes(self.chance.choice(PLANS), customer=self.customer)

    def do_detach(self) -> None:
        cards = self.v1.payment_methods.list({"customer": self.customer}).data
        if len(cards) > 1:
            self.v1.payment_methods.detach(self.chance.choice(cards).id)

    def do_rename_product(self) -> None:
        product = self._shown()["items"]["data"][0]["price"]["product"]
        self.v1.products.update(product, {"name": f"Plan {self.chance.randint(1, 9)}"})


def whole_state(workspace: Workspace, *, is_discounted: bool) -> dict[str, Any]:
    """Everything that the mirror says of today, without ids of ours and without when it learnt it.

    `is_discounted`: the customer as a whole. What such a discount took off a subscription that is over cannot be
    read afterwards: Stripe shows the one of today.
    """
    over = {"ended_at__isnull": False} if is_discounted else {"pk": 0}

    def rows(found: Any, *names: str) -> list[Any]:
        return sorted(found.values_list(*names), key=str)

    with workspace_scope(workspace.pk):
        methods = set(BillingCustomer.objects.values_list("default_method", flat=True))
        methods |= set(Subscription.objects.filter(ended_at=None).values_list("default_method", flat=True))
        return {
            "customers": rows(
                BillingCustomer.objects, "external_id", "account__external_id", "name", "default_method",
                "discount",
            ),
            "methods": rows(
                PaymentMethod.objects.filter(external_id__in=methods, detached_at=None), "external_id", "last4",
                "customer__external_id", "blocked_at",
            ),
            "subscriptions": rows(
                Subscription.objects, "external_id", "status", "seats", "plan__external_id",
                "billing_interval", "started_at", "ended_at", "ended_cause", "ended_reason", "cancel_at",
                "trial_ends_at", "is_collection_paused", "default_method", "renews_at", "account__external_id",
            ),
            "worth": rows(Subscription.objects.exclude(**over), "external_id", "mrr_minor"),
            "invoices": rows(
                Invoice.objects.exclude(made_at=None), "external_id", "status", "amount_minor",
                "amount_paid_minor", "refunded_minor", "paid_at", "is_auto_advance", "next_attempt_at",
                "payment_ref", "subscription__external_id", "account__external_id",
            ),
            "attempts": rows(
                PaymentAttempt.objects, "external_id", "number", "status", "decline_code", "attempted_at",
                "account__external_id",
            ),
            "mrr": rows_of_mrr(),
        }  # fmt: skip


def rows_of_mrr() -> list[tuple[str, str, int]]:
    """What each account is worth today by its movements."""
    sums: dict[tuple[str, str], int] = {}
    for account, currency, amount in MrrMovement.objects.values_list(
        "account__external_id", "currency", "amount_minor"
    ):
        sums[account, currency] = sums.get((account, currency), 0) + amount
    return sorted((*key, amount) for key, amount in sums.items() if amount)
