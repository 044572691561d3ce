"""A small shop behind the fake: a plan, and customers with a card that answers as told."""

from dataclasses import dataclass
from typing import Any

import stripe

from tests.fake_stripe.running import FakeStripe

START = 1_767_225_600  # 2026-01-01 00:00 UTC
DAY = 86_400
MONTHLY = 4900


@dataclass
class Shop:
    fake: FakeStripe
    stripe: Any
    price: str

    def customer(self, *steps: Any, token: str = "pm_card_visa", **fields: Any) -> tuple[str, str]:
        """A customer and its default card; the card's first charges follow the steps."""
        customer = self.stripe.customers.create({"name": "Ada", "email": "ada@example.com", **fields})
        method = self.stripe.payment_methods.attach(token, {"customer": customer.id})
        self.stripe.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
        if steps:
            self.fake.outcomes(list(steps), payment_method=method.id)
        return customer.id, method.id

    def subscribe(self, customer: str, **params: Any) -> Any:
        return self.stripe.subscriptions.create(
            {"customer": customer, "items": [{"price": self.price}], **params}
        )

    def open_invoice(self, *steps: Any, token: str = "pm_card_visa") -> Any:
        """A finalized, untried invoice of a customer whose card follows the steps."""
        customer, _ = self.customer(*steps, token=token)
        self.stripe.invoice_items.create({"customer": customer, "amount": MONTHLY, "currency": "usd"})
        invoice = self.stripe.invoices.create({"customer": customer})
        return self.stripe.invoices.finalize_invoice(invoice.id)

    def pay(self, invoice: str, key: str | None = None, **params: Any) -> Any:
        return self.stripe.invoices.pay(invoice, params, {"idempotency_key": key} if key else {})

    def refused(self, invoice: str, **params: Any) -> stripe.CardError:
        """The error of a payment that must fail."""
        try:
            self.pay(invoice, **params)
        except stripe.CardError as error:
            return error
        raise AssertionError("the payment went through")

    def invoice(self, key: str) -> Any:
        return self.stripe.invoices.retrieve(key)

    def subscription(self, key: str) -> Any:
        return self.stripe.subscriptions.retrieve(key)

    def event_types(self) -> list[str]:
        """Oldest first."""
        return [event.type for event in self.stripe.events.list({"limit": 100}).auto_paging_iter()][::-1]


def open_shop(fake: FakeStripe, *, now: int | None = START) -> Shop:
    if now:
        fake.freeze(now)
    client = fake.client().v1
    product = client.products.create({"name": "Pro"})
    price = client.prices.create(
        {"product": product.id, "unit_amount": MONTHLY, "currency": "usd", "recurring": {"interval": "month"}}
    )
    return Shop(fake, client, price.id)
