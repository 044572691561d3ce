"""Pages of customers and their payment methods, in a few statements; as `billing_pages` has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from accounts.gateways.stripe.facts import CustomerFacts, MethodFacts
from accounts.models import Account, BillingCustomer, Contact, PaymentMethod, Workspace
from accounts.services.billing_accounts import (
    erased_of,
    keep_billing_contact,
    new_account,
    new_contact,
    own_key_of,
)
from accounts.services.billing_mirror import (
    apply_customer,
    apply_method,
    customer_values,
    is_stale,
    known_rows,
    lock_objects,
    method_values,
)
from accounts.services.billing_unchanged import note_read, same_customers, shows
from accounts.signals import account_changed, contact_changed
from cs_platform.lib.scoping import current_workspace_id

Owned = list[tuple[CustomerFacts, Account]]


def apply_customers(found: Sequence[CustomerFacts], *, fetched_at: datetime, now: datetime) -> None:
    """Write a page of customers with their accounts, payment methods and who gets the bills."""
    lock_objects(one.id for one in found)
    here = known_rows(BillingCustomer, {one.id for one in found})
    # Two customers of one account decide by their order what it is called.
    shared = Counter(key for one in found for key in {own_key_of(one) or one.id, one.id})
    ordered = sorted(found, key=lambda one: one.id)
    new = [one for one in ordered if _is_plain(one, shared) and one.id not in here]
    fresh, known = _accounts_of(new, now=now)
    gone = erased_of(new)
    rows = [
        BillingCustomer(
            external_id=one.id, **customer_values(one, account, fetched_at, is_gone=one.id in gone)
        )
        for one, account in fresh + known
    ]
    BillingCustomer.objects.bulk_create(rows)
    _add_contacts([(one, account) for one, account in fresh if one.email and one.id not in gone], now=now)
    for one, account in known:
        if one.id not in gone:
            keep_billing_contact(one, account, now=now)
    older = {key: row for key, row in here.items() if not is_stale(row, fetched_at)}
    first = {one.id: one for one in reversed(ordered)}
    again = [(first[key], row) for key, row in older.items() if not first[key].is_deleted]
    plain = [pair for pair in again if _is_plain(pair[0], shared)]
    same = same_customers(plain, first, fetched_at=fetched_at)
    note_read(same, fetched_at)
    quiet = {one.id: True for one in new} | {one.id: False for one, _ in again}
    apply_methods(
        [
            (one.default_method, quiet[one.id])
            for _, one in sorted(first.items())
            if one.default_method is not None and one.id in quiet
        ],
        fetched_at=fetched_at,
        now=now,
    )
    done = {one.id for one in new} | {row.external_id for row in same} | (here.keys() - older.keys())
    for one in ordered:
        if one.id not in done:
            apply_customer(one, fetched_at=fetched_at, now=now)


def _is_plain(one: CustomerFacts, shared: Counter[str]) -> bool:
    return not one.is_deleted and shared[own_key_of(one) or one.id] == 1 and shared[one.id] == 1


def _accounts_of(new: Sequence[CustomerFacts], *, now: datetime) -> tuple[Owned, Owned]:
    """Each with its account: those whose account is as new as they are, and those whose account was known."""
    keys = {one.id: own_key_of(one) or one.id for one in new}
    here = known_rows(Account, keys.values())
    missing = [one for one in new if keys[one.id] not in here]
    made = [Account(external_id=keys[one.id], **new_account(one, keys[one.id], now=now)) for one in missing]
    Account.objects.bulk_create(made, ignore_conflicts=True)  # a file may bring it at this very moment
    there = known_rows(Account, (account.external_id for account in made))
    ours = {account.public_id for account in made}
    account_changed.send_all(account.pk for account in there.values() if account.public_id in ours)
    every = here | there
    owned = [(one, every[keys[one.id]]) for one in new]
    return (
        [(one, account) for one, account in owned if account.public_id in ours],
        [(one, account) for one, account in owned if account.public_id not in ours],
    )


def _add_contacts(owned: Owned, *, now: datetime) -> None:
    """Who gets the bills of accounts that nobody knew a minute ago."""
    language = Workspace.objects.get(pk=current_workspace_id()).language
    made = [
        Contact(external_id=one.id, **new_contact(one, account, language, now=now)) for one, account in owned
    ]
    Contact.objects.bulk_create(made, ignore_conflicts=True)
    there = known_rows(Contact, (one.id for one, _ in owned))
    ours = {contact.public_id for contact in made}
    contact_changed.send_all(contact.pk for contact in there.values() if contact.public_id in ours)
    for one, account in owned:
        if there[one.id].public_id not in ours:
            keep_billing_contact(one, account, now=now)


def apply_methods(found: Sequence[tuple[MethodFacts, bool]], *, fetched_at: datetime, now: datetime) -> None:
    """Write the payment methods of customers or subscriptions, in the order of these.

    With each: whether it is told to nobody, because who it came with is new itself.
    """
    lock_objects(one.id for one, _ in found)
    here = known_rows(PaymentMethod, {one.id for one, _ in found})
    customers = known_rows(BillingCustomer, {one.customer_id for one, _ in found})
    made: list[PaymentMethod] = []
    same: list[PaymentMethod] = []
    others: list[tuple[MethodFacts, bool]] = []
    seen: set[str] = set()
    for one, is_quiet in found:
        row, customer = here.get(one.id), customers.get(one.customer_id)
        values = method_values(one, fetched_at) | {"customer": customer, "detached_at": None}
        if customer is None or one.id in seen:  # the second time it is older than the first
            others.append((one, is_quiet))
        elif row is None and is_quiet:
            made.append(PaymentMethod(external_id=one.id, **values))
        elif row is not None and shows(row, values):
            same.append(row)
        else:
            others.append((one, is_quiet))
        seen.add(one.id)
    PaymentMethod.objects.bulk_create(made)
    note_read([row for row in same if not is_stale(row, fetched_at)], fetched_at)
    for one, is_quiet in others:
        apply_method(one, fetched_at=fetched_at, now=now, is_quiet=is_quiet)
