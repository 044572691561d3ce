"""What a page brings just as it is here already: only noted as read, in one statement for all of them.

Each answer is yes only where writing the one row, as `apply_customer` and its like do, would change nothing but
`fetched_at` and tell nobody. What is not that plain goes row by row. The caller holds the objects' locks, and
asks only about rows that are older than what was read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import models
from django.db.models.functions import Upper

from accounts.gateways.stripe.facts import CustomerFacts, SubscriptionFacts
from accounts.models import Account, BillingCustomer, Contact, Plan, Subscription, SubscriptionChange
from accounts.services.billing_accounts import erased_of, own_key_of
from accounts.services.billing_mirror import customer_values, known_rows
from accounts.services.billing_mrr import main_item
from accounts.services.billing_subscriptions import Known, changed_draft, ended_by_us

M = TypeVar("M", bound=models.Model)
Again = Sequence[tuple[SubscriptionFacts, Subscription]]


def note_read(rows: Iterable[models.Model], fetched_at: datetime) -> None:
    """These rows show what was read at this moment, as they did before."""
    by_model: dict[Any, list[int]] = defaultdict(list)
    for row in rows:
        by_model[type(row)].append(row.pk)
    for model, keys in by_model.items():
        model.objects.filter(pk__in=keys).update(fetched_at=fetched_at)


def shows(row: models.Model, values: Mapping[str, Any]) -> bool:
    """Whether the row has these values already, leaving aside when it was read."""
    for name, value in values.items():
        if name == "fetched_at":
            continue
        column = row._meta.get_field(name).attname  # type: ignore[union-attr]
        if getattr(row, column) != (value.pk if isinstance(value, models.Model) else value):
            return False
    return True


def same_customers(
    again: Sequence[tuple[CustomerFacts, BillingCustomer]], page: Iterable[str], *, fetched_at: datetime
) -> list[BillingCustomer]:
    """Those whose account, values and person stay as they are. `page`: the ids of all customers of the page."""
    named = known_rows(Account, {own_key_of(one) for one, _ in again} - {""})
    gone = erased_of(one for one, _ in again)
    plain = []
    for one, row in again:
        account = named.get(own_key_of(one)) or (row.account_id and Account(pk=row.account_id))
        if account and shows(row, customer_values(one, account, fetched_at, is_gone=one.id in gone)):
            plain.append((one, row))
    there = _persons([pair for pair in plain if pair[0].email and pair[0].id not in gone], set(page))
    return [row for one, row in plain if not one.email or one.id in gone or one.id in there]


def _persons(again: Sequence[tuple[CustomerFacts, BillingCustomer]], page: set[str]) -> set[str]:
    """The customers whose address is a person of their account. A person who came with another customer of this page
    may be another one in a moment, so they do not count."""
    # Letters beyond ASCII are left to the database's own comparison, row by row.
    wanted = {one.id: (row.account_id, one.email.upper()) for one, row in again if one.email.isascii()}
    persons = Contact.objects.annotate(told=Upper("email")).filter(
        account__in={account for account, _ in wanted.values()},
        told__in={told for _, told in wanted.values()},
    )
    here: dict[tuple[int | None, str], set[str]] = defaultdict(set)
    for account, told, external_id in persons.values_list("account_id", "told", "external_id"):
        here[account, told].add(external_id)
    return {key for key, address in wanted.items() if here[address] - (page - {key})}


def same_subscriptions(
    again: Again, customers: Mapping[str, BillingCustomer], plans: Mapping[str, Plan], *, now: datetime
) -> list[Subscription]:
    """Those of which neither terms nor anything else is another: their drafts are made, and come out empty."""
    changes: dict[int, list[SubscriptionChange]] = defaultdict(list)
    for change in SubscriptionChange.objects.filter(subscription__in=[row for _, row in again]).order_by(
        "effective_at"
    ):
        changes[change.subscription_id].append(change)
    ours = ended_by_us(one.id for one, _ in again if one.ended_at is not None)
    return [
        row
        for one, row in again
        if _stays(
            one, row, _known(one, customers[one.customer_id], plans, ours, now), changes[row.pk], now=now
        )
    ]


def _known(
    one: SubscriptionFacts,
    customer: BillingCustomer,
    plans: Mapping[str, Plan],
    ours: set[str],
    now: datetime,
) -> Known:
    item = main_item(one, now)
    assert customer.account_id is not None
    plan = plans.get(item.price.id) if item else None
    return Known(customer, customer.account_id, plan, one.id in ours)


def _stays(
    one: SubscriptionFacts,
    row: Subscription,
    known: Known,
    changes: list[SubscriptionChange],
    *,
    now: datetime,
) -> bool:
    fields = [field.attname for field in Subscription._meta.concrete_fields]
    before = [getattr(row, name) for name in fields]
    draft = changed_draft(row, changes, one, known, now=now, changed_at=now)
    if draft.is_changed or known.has_new_seats(row):
        return False
    return before == [getattr(row, name) for name in fields]
