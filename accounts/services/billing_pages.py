"""Pages of subscriptions, invoices and charges in a few statements: what is new, and what is here just as it comes.

What is written, locked and told is what `apply_subscription` and its like write, lock and tell one by one. They still
do so for whatever is here otherwise and for everything out of the ordinary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from accounts.gateways.stripe.facts import InvoiceFacts, SubscriptionFacts
from accounts.models import (
    BillingCustomer,
    Invoice,
    Plan,
    Subscription,
    SubscriptionChange,
)
from accounts.services.billing_customer_pages import apply_methods
from accounts.services.billing_invoices import (
    apply_invoice,
    invoice_values,
)
from accounts.services.billing_mirror import is_stale, known_rows, lock_objects
from accounts.services.billing_mrr import main_item
from accounts.services.billing_subscriptions import (
    Known,
    apply_subscription,
    first_draft,
    mark_per_seat,
    rebuild,
)
from accounts.services.billing_unchanged import note_read, same_subscriptions, shows
from accounts.services.subscription_terms import Draft
from accounts.signals import invoice_changed, subscription_changed

F = TypeVar("F", SubscriptionFacts, InvoiceFacts)


@dataclass
class _Page(Generic[F]):
    """`new`: not here yet; `again`: with the row that is here; `others`: to be written one by one in any case."""

    new: list[F]
    again: list[tuple[F, Any]]
    others: list[F]

    def others_than(self, same: Sequence[Any]) -> list[F]:
        """What is left for writing one by one, when these rows were the same."""
        done = {row.pk for row in same}
        changed = [one for one, row in self.again if row.pk not in done]
        return sorted(self.others + changed, key=lambda one: one.id)


# Movements of so many accounts are found by their indexes; for more the planner is told to read everything.
_ACCOUNTS = 50


def apply_subscriptions(found: Sequence[SubscriptionFacts], *, fetched_at: datetime, now: datetime) -> None:
    """Write a page of subscriptions, each new one with its first terms."""
    customers = _customers_of(found)
    page = _sorted_out(found, Subscription, fetched_at, lambda one: _payer(one, customers) is not None)
    known = [one for one, _ in page.again]
    plans = known_rows(Plan, {item.price.id for one in page.new + known for item in one.items})
    drafts = [_draft(one, customers[one.customer_id], plans, fetched_at, now) for one in page.new]
    Subscription.objects.bulk_create([draft.subscription for draft in drafts])
    SubscriptionChange.objects.bulk_create([change for draft in drafts for change in _changes(draft)])
    rows = [draft.subscription for draft in drafts]
    mark_per_seat(row.plan_id for row in rows if row.plan_id and (row.seats or 1) > 1)
    same = same_subscriptions(page.again, customers, plans, now=now)
    note_read(same, fetched_at)
    methods = [
        (one.default_method, is_new)
        for is_new, one in sorted(
            [(True, one) for one in page.new] + [(False, one) for one in known], key=lambda pair: pair[1].id
        )
        if one.default_method is not None
    ]
    apply_methods(methods, fetched_at=fetched_at, now=now)
    accounts = sorted({row.account_id for row in rows})
    for start in range(0, len(accounts), _ACCOUNTS):
        rebuild(set(accounts[start : start + _ACCOUNTS]))
    subscription_changed.send_all(row.pk for row in rows)
    for one in page.others_than(same):
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
    page = _sorted_out(
        found, Invoice, fetched_at, lambda one: one.charges is None and _payer(one, customers) is not None
    )
    known = [one for one, _ in page.again]
    subscriptions = known_rows(
        Subscription, {one.subscription_id for one in page.new + known if one.subscription_id}
    )

    def values(one: InvoiceFacts) -> dict[str, Any]:
        return invoice_values(
            one, customers[one.customer_id], subscriptions.get(one.subscription_id), fetched_at
        )

    rows = [Invoice(external_id=one.id, **values(one)) for one in page.new]
    Invoice.objects.bulk_create(rows)
    invoice_changed.send_all(
        row.pk for row in rows if row.status in ("open", "uncollectible") and row.amount_paid_minor > 0
    )
    same = [row for one, row in page.again if shows(row, values(one))]
    note_read(same, fetched_at)
    for one in page.others_than(same):
        apply_invoice(one, fetched_at=fetched_at, now=now)


def _customers_of(found: Sequence[F]) -> dict[str, BillingCustomer]:
    return known_rows(BillingCustomer, {one.customer_id for one in found})


def _payer(one: Any, customers: Mapping[str, BillingCustomer]) -> int | None:
    customer = customers.get(one.customer_id)
    return customer.account_id if customer else None


def _sorted_out(
    found: Sequence[F], model: Any, fetched_at: datetime, is_plain: Callable[[F], bool]
) -> _Page[F]:
    """Under their locks, each in the order of their ids. What is here as read later, or comes twice, is left out."""
    lock_objects(one.id for one in found)
    here = known_rows(model, {one.id for one in found})
    page: _Page[F] = _Page([], [], [])
    seen: set[str] = set()
    for one in sorted(found, key=lambda one: one.id):
        row = here.get(one.id)
        if is_stale(row, fetched_at) or one.id in seen:
            continue
        if not is_plain(one):
            page.others.append(one)
            continue
        seen.add(one.id)
        if row is None:
            page.new.append(one)
        else:
            page.again.append((one, row))
    return page
