"""Pages of customers, subscriptions, invoices and charges that the mirror does not hold yet, in a few statements.

What is written, locked and told is what `apply_customer` and its like write, lock and tell one by one. They still
do so for whatever is here already and for everything out of the ordinary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from accounts.gateways.stripe.facts import ChargeFacts, InvoiceFacts, SubscriptionFacts
from accounts.models import (
    BillingCustomer,
    BillingOrder,
    Invoice,
    OrderKind,
    PaymentAttempt,
    Plan,
    Subscription,
    SubscriptionChange,
)
from accounts.services.billing_customer_pages import add_methods
from accounts.services.billing_invoices import apply_charges, apply_invoice, fill_attempt, invoice_values
from accounts.services.billing_mirror import is_stale, known_rows, lock_objects
from accounts.services.billing_mrr import main_item
from accounts.services.billing_subscriptions import (
    Known,
    apply_subscription,
    first_draft,
    mark_per_seat,
    rebuild,
)
from accounts.services.subscription_terms import Draft
from accounts.signals import invoice_changed, subscription_changed

F = TypeVar("F", SubscriptionFacts, InvoiceFacts)
# Movements of so many accounts are found by their indexes; for more the planner is told to read everything.
_ACCOUNTS = 50


def apply_subscriptions(found: Sequence[SubscriptionFacts], *, fetched_at: datetime, now: datetime) -> None:
    """Write a page of subscriptions, each with its first terms."""
    customers = _customers_of(found)
    new, others = _sorted_out(found, Subscription, lambda one: _payer(one, customers) is not None)
    plans = known_rows(Plan, {item.price.id for one in new for item in one.items})
    drafts = [_draft(one, customers[one.customer_id], plans, fetched_at, now) for one in new]
    Subscription.objects.bulk_create([draft.subscription for draft in drafts])
    SubscriptionChange.objects.bulk_create([change for draft in drafts for change in _changes(draft)])
    rows = [draft.subscription for draft in drafts]
    mark_per_seat(row.plan_id for row in rows if row.plan_id and (row.seats or 1) > 1)
    add_methods(
        [one.default_method for one in new if one.default_method is not None], fetched_at=fetched_at, now=now
    )
    accounts = sorted({row.account_id for row in rows})
    for start in range(0, len(accounts), _ACCOUNTS):
        rebuild(set(accounts[start : start + _ACCOUNTS]))
    subscription_changed.send_all(row.pk for row in rows)
    for one in others:
        apply_subscription(one, fetched_at=fetched_at, now=now)


def _draft(
    found: SubscriptionFacts,
    customer: BillingCustomer,
    plans: Mapping[str, Plan],
    fetched_at: datetime,
    now: datetime,
) -> Draft:
    item = main_item(found, now)
    assert customer.account_id is not None
    known = Known(customer, customer.account_id, plans.get(item.price.id) if item else None)
    draft = first_draft(found, known, now)
    draft.subscription.fetched_at = fetched_at
    return draft


def _changes(draft: Draft) -> list[SubscriptionChange]:
    for change in draft.changes:  # made before the subscription had a number
        change.subscription = draft.subscription
    return draft.changes


def apply_invoices(found: Sequence[InvoiceFacts], *, fetched_at: datetime, now: datetime) -> None:
    """Write a page of invoices; their charges come on pages of their own."""
    customers = _customers_of(found)
    new, others = _sorted_out(
        found, Invoice, lambda one: one.charges is None and _payer(one, customers) is not None
    )
    subscriptions = known_rows(Subscription, {one.subscription_id for one in new if one.subscription_id})
    rows = [
        Invoice(
            external_id=one.id,
            **invoice_values(
                one, customers[one.customer_id], subscriptions.get(one.subscription_id), fetched_at
            ),
        )
        for one in new
    ]
    Invoice.objects.bulk_create(rows)
    invoice_changed.send_all(
        row.pk for row in rows if row.status in ("open", "uncollectible") and row.amount_paid_minor > 0
    )
    for one in others:
        apply_invoice(one, fetched_at=fetched_at, now=now)


def _customers_of(found: Sequence[F]) -> dict[str, BillingCustomer]:
    return known_rows(BillingCustomer, {one.customer_id for one in found})


def _payer(one: Any, customers: Mapping[str, BillingCustomer]) -> int | None:
    customer = customers.get(one.customer_id)
    return customer.account_id if customer else None


def _sorted_out(found: Sequence[F], model: Any, is_plain: Callable[[F], bool]) -> tuple[list[F], list[F]]:
    """Under their locks: those that are new and plain, and all others; each in the order of their ids."""
    lock_objects(one.id for one in found)
    here = set(
        model.objects.filter(external_id__in=[one.id for one in found]).values_list("external_id", flat=True)
    )
    new: dict[str, F] = {}
    others: list[F] = []
    for one in sorted(found, key=lambda one: one.id):
        if one.id in here or one.id in new or not is_plain(one):
            others.append(one)
        else:
            new[one.id] = one
    return list(new.values()), others


def apply_tries(found: Mapping[str, Sequence[ChargeFacts]], *, fetched_at: datetime) -> None:
    """Write some of the tries of invoices, by the invoices' ids; each one's others stand on other pages."""
    lock_objects(found)
    invoices = known_rows(Invoice, found)
    tried = set(
        PaymentAttempt.objects.filter(invoice__in=invoices.values()).values_list("invoice", flat=True)
    )
    orders = _orders([one.id for charges in found.values() for one in charges])
    rows: list[PaymentAttempt] = []
    told: list[int] = []
    for key in sorted(invoices):
        invoice, charges = invoices[key], found[key]
        if is_stale(invoice, fetched_at):
            continue
        if invoice.pk in tried or len({one.id for one in charges}) < len(charges):
            is_news = apply_charges(invoice, charges)
        else:
            rows += _first_tries(invoice, charges, orders)
            is_news = True
        if is_news and invoice.status == "open" and any(one.status == "failed" for one in charges):
            told.append(invoice.pk)
    PaymentAttempt.objects.bulk_create(rows)
    invoice_changed.send_all(told)


def _first_tries(
    invoice: Invoice, charges: Sequence[ChargeFacts], orders: Mapping[tuple[int, str], BillingOrder]
) -> list[PaymentAttempt]:
    rows = []
    for number, one in enumerate(sorted(charges, key=lambda one: one.created_at), start=1):
        row = PaymentAttempt(invoice=invoice, number=number, external_id=one.id)
        fill_attempt(row, invoice, one, orders.get((invoice.pk, one.id)))
        rows.append(row)
    return rows


def _orders(charges: Sequence[str]) -> dict[tuple[int, str], BillingOrder]:
    """The platform's own charges, by invoice and the provider's id."""
    ours = BillingOrder.objects.filter(kind=OrderKind.PAY, provider_ref__in=charges)
    return {(order.invoice_id or 0, order.provider_ref): order for order in ours}
