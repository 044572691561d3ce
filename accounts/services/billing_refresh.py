"""Read one of the provider's objects afresh, with what it needs to stand on, and write what was found.

Reading happens outside any transaction; `Found.apply` writes within the caller's. A read remembers when it began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model

from accounts.gateways.stripe.client import BillingError, Gateway
from accounts.gateways.stripe.facts import (
    CustomerFacts,
    InvoiceFacts,
    MethodFacts,
    PriceFacts,
    SubscriptionFacts,
)
from accounts.gateways.stripe.reading import (
    invoice_of_intent,
    list_prices,
    read_charge,
    read_customer,
    read_invoice,
    read_method,
    read_price,
    read_subscription,
)
from accounts.models import BillingCustomer, Invoice, PaymentMethod, Plan, Subscription
from accounts.services.billing_invoices import apply_invoice, forget_draft
from accounts.services.billing_mirror import apply_customer, apply_method, lock_objects
from accounts.services.billing_prices import apply_prices
from accounts.services.billing_subscriptions import apply_subscription
from cs_platform.lib.database_clock import database_now
from cs_platform.lib.scoping import workspace_scope

T = TypeVar("T")


@dataclass
class Found:
    """What was read, each with the moment its read began; applied in the order in which one needs the other."""

    prices: list[PriceFacts] = field(default_factory=list)
    customers: list[tuple[CustomerFacts, datetime]] = field(default_factory=list)
    methods: list[tuple[MethodFacts, datetime]] = field(default_factory=list)
    subscriptions: list[tuple[SubscriptionFacts, datetime]] = field(default_factory=list)
    invoices: list[tuple[InvoiceFacts, datetime]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def apply(
        self, *, now: datetime, changed_at: datetime | None = None, replaced_at: datetime | None = None
    ) -> None:
        """Write all of it in the running scope and transaction.

        All locks first, in the order in which everybody takes them: who waits for one holds no row that another needs.
        """
        lock_objects(self._ids())
        apply_prices(self.prices)
        for customer, at in sorted(self.customers, key=lambda pair: pair[0].id):
            if not self._is_nobody(customer):
                apply_customer(customer, fetched_at=at, now=now)
        for method, at in sorted(self.methods, key=lambda pair: pair[0].id):
            apply_method(method, fetched_at=at, now=now, replaced_at=replaced_at)
        for subscription, at in sorted(self.subscriptions, key=lambda pair: pair[0].id):
            apply_subscription(subscription, fetched_at=at, now=now, changed_at=changed_at)
        for invoice, at in sorted(self.invoices, key=lambda pair: pair[0].id):
            apply_invoice(invoice, fetched_at=at, now=now)
        for invoice_id in self.gone:
            forget_draft(invoice_id)

    def _ids(self) -> set[str]:
        """Everything that is written, the payment methods that came with customers and subscriptions included."""
        methods = [one.default_method for one, _at in self.customers]
        methods += [one.default_method for one, _at in self.subscriptions]
        return {
            *(price.id for price in self.prices),
            *(one.id for one, _at in self.customers),
            *(one.id for one, _at in self.methods),
            *(one.id for one, _at in self.subscriptions),
            *(one.id for one, _at in self.invoices),
            *(method.id for method in methods if method is not None),
            *self.gone,
        }

    def _is_nobody(self, customer: CustomerFacts) -> bool:
        """Came and went before we ever read it, and nothing here is theirs: no account is made for that."""
        if not customer.is_deleted or BillingCustomer.objects.filter(external_id=customer.id).exists():
            return False
        owners = {one.customer_id for one, _at in self.methods}
        owners |= {one.customer_id for one, _at in self.subscriptions}
        owners |= {one.customer_id for one, _at in self.invoices}
        return customer.id not in owners


@dataclass
class Reader:
    """Reads objects of one workspace; nothing twice. `read_at`: when the read of each began."""

    gateway: Gateway
    found: Found = field(default_factory=Found)
    read_at: dict[str, datetime] = field(default_factory=dict)

    def read(self, object_id: str) -> None:
        """Read whatever this id names. Raises BillingError; a draft or a price that is gone is noted, not raised."""
        if object_id not in self.read_at:
            self.read_at[object_id] = database_now()
            # Prices of old may be called anything; everything else tells by its id what it is.
            kind = next((fn for prefix, fn in _READERS if object_id.startswith(prefix)), Reader.price)
            try:
                kind(self, object_id)
            except BillingError as error:
                error.object_id = error.object_id or object_id
                raise

    def price(self, price_id: str) -> None:
        try:
            self.found.prices.append(read_price(self.gateway, price_id))
        except BillingError as error:
            if not error.is_absent:  # one that was deleted keeps the name it had
                raise

    def product(self, product_id: str) -> None:
        """Its name is the name of the plans that its prices are."""
        cursor = ""
        while True:
            page = list_prices(self.gateway, cursor, product_id=product_id)
            self.found.prices += [price for price in page.rows if price.interval]
            if not (cursor := page.cursor):
                return

    def customer(self, customer_id: str) -> None:
        """With its running subscriptions where what is taken off all of them is another than before."""
        at = self.read_at[customer_id]
        facts = read_customer(self.gateway, customer_id)
        self.found.customers.append((facts, at))
        for subscription_id in self._known(lambda: _discounted_otherwise(facts)):
            self.read(subscription_id)

    def method(self, method_id: str) -> None:
        at = self.read_at[method_id]
        method = read_method(self.gateway, method_id)
        self.needs(BillingCustomer, method.customer_id)
        self.found.methods.append((method, at))

    def subscription(self, subscription_id: str) -> None:
        at = self.read_at[subscription_id]
        facts = read_subscription(self.gateway, subscription_id)
        self.needs(BillingCustomer, facts.customer_id)
        for item in facts.items:
            self.needs(Plan, item.price.id)
        self.found.subscriptions.append((facts, at))

    def invoice(self, invoice_id: str) -> None:
        at = self.read_at[invoice_id]
        try:
            facts = read_invoice(self.gateway, invoice_id)
        except BillingError as error:
            if not error.is_absent:
                raise
            self.found.gone.append(invoice_id)
            return
        self.needs(BillingCustomer, facts.customer_id)
        if facts.subscription_id:
            self.needs(Subscription, facts.subscription_id)
        for payment in facts.payments:  # and with it every try of its payments
            self.read_at.setdefault(payment.intent_id or payment.charge_id, at)
        self.found.invoices.append((facts, at))

    def charge(self, charge_id: str) -> None:
        charge = read_charge(self.gateway, charge_id)
        if charge.intent_id:
            self.read(charge.intent_id)
        else:  # from before there were payment intents
            for invoice_id in self._known(lambda: _paid_by(charge_id)):
                self.read(invoice_id)

    def intent(self, intent_id: str) -> None:
        """Its invoice; most payments of some companies have none, and the mirror holds none of those."""
        here = self._known(lambda: _paid_by(intent_id))
        invoice_id = here[0] if here else invoice_of_intent(self.gateway, intent_id)
        if invoice_id:
            self.read(invoice_id)

    def needs(self, model: type[Model], external_id: str) -> None:
        """Read what must be here first, unless it is."""
        if external_id and not self._known(
            lambda: model._default_manager.filter(external_id=external_id).values_list("pk", flat=True)[:1]
        ):
            self.read(external_id)

    def _known(self, rows: Callable[[], Iterable[T]]) -> list[T]:
        with workspace_scope(self.gateway.workspace_id):
            return list(rows())


def _paid_by(payment_id: str) -> Iterable[str]:
    return Invoice.objects.filter(payment_ref=payment_id).values_list("external_id", flat=True)


def _discounted_otherwise(found: CustomerFacts) -> Iterable[str]:
    payers = BillingCustomer.objects.filter(external_id=found.id).exclude(discount=found.discount)
    running = Subscription.objects.filter(customer__in=payers, ended_at__isnull=True)
    return running.order_by("external_id").values_list("external_id", flat=True)


_READERS: tuple[tuple[str, Callable[[Reader, str], None]], ...] = (
    ("in_", Reader.invoice),
    ("sub_", Reader.subscription),
    ("cus_", Reader.customer),
    ("ch_", Reader.charge),
    ("py_", Reader.charge),
    ("pi_", Reader.intent),
    ("prod_", Reader.product),
    *((prefix, Reader.method) for prefix in ("pm_", "card_", "src_", "ba_")),
)
_MIRRORED: tuple[tuple[str, Any], ...] = (
    ("in_", Invoice),
    ("sub_", Subscription),
    ("cus_", BillingCustomer),
    ("pm_", PaymentMethod),
)


def is_read_since(object_id: str, moment: datetime) -> bool:
    """Whether the mirror already shows a read of this object that began after the moment; in the running scope."""
    if object_id.startswith("pi_"):
        return bool(Invoice.objects.filter(payment_ref=object_id, fetched_at__gt=moment).exists())
    model = next((model for prefix, model in _MIRRORED if object_id.startswith(prefix)), None)
    if model is None:
        return False
    return bool(model.objects.filter(external_id=object_id, fetched_at__gt=moment).exists())
