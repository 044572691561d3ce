"""The mirror of customers and payment methods. What was read later wins, whatever came first.

Every row remembers when the read began that it shows (`fetched_at`, the database's clock). An answer is applied
only if its read began later, under a lock on the object's id, so that order and repetition of messages do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, models

from accounts.gateways.stripe.facts import CustomerFacts, MethodFacts
from accounts.models import (
    Account,
    BillingCustomer,
    Invoice,
    PaymentAttempt,
    PaymentMethod,
    Subscription,
)
from accounts.services.billing_accounts import account_of, is_erased, keep_billing_contact
from accounts.services.movements import rebuild_movements
from accounts.signals import payment_method_changed
from cs_platform.lib.scoping import current_workspace_id

PROVIDER = "stripe"
M = TypeVar("M", bound=models.Model)


def lock_object(external_id: str) -> None:
    """One at a time for this object until the transaction ends, whether its row exists or not."""
    lock_objects([external_id])


def lock_objects(external_ids: Iterable[str]) -> None:
    """The same for several, in the order in which everybody takes them."""
    names = [f"billing:{current_workspace_id()}:{one}" for one in sorted(set(external_ids))]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name", [names]
        )


def known_row(model: type[M], external_id: str) -> M | None:
    """The mirror's row; call it under `lock_object`."""
    found: M | None = model._default_manager.filter(external_id=external_id).first()
    return found


def known_rows(model: type[M], external_ids: Iterable[str]) -> dict[str, M]:
    """The mirror's rows by their ids."""
    rows = model._default_manager.filter(external_id__in=set(external_ids))
    return {str(row.external_id): row for row in rows}  # type: ignore[attr-defined]


def _written(row: M, values: dict[str, Any]) -> M:
    """Save these values. Not `update_or_create`, whose row lock would make wait who only refers to the row."""
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return row


def is_stale(row: Any, fetched_at: datetime) -> bool:
    """Whether the row shows a read that began at the same time or later."""
    return row is not None and row.fetched_at is not None and row.fetched_at >= fetched_at


def apply_customer(found: CustomerFacts, *, fetched_at: datetime, now: datetime) -> BillingCustomer | None:
    """Write a customer, its account and the person who gets the bills; None when something newer is here."""
    lock_object(found.id)
    row = known_row(BillingCustomer, found.id)
    if is_stale(row, fetched_at):
        return None
    if found.is_deleted:
        return _deleted(found, row, fetched_at=fetched_at, now=now)
    account = account_of(found, row, now=now)
    is_gone = is_erased(found)
    values = customer_values(found, account, fetched_at, is_gone=is_gone)
    former_account, former_method = (row.account_id, row.default_method) if row else (None, "")
    is_new = row is None
    row = _written(row or BillingCustomer(external_id=found.id), values)
    if former_account not in (None, account.pk):
        _move(row, from_account=former_account)
    if not is_gone:
        keep_billing_contact(found, account, now=now)
    if found.default_method is not None:
        apply_method(found.default_method, fetched_at=fetched_at, now=now, is_quiet=is_new)
    if not is_new and former_method != found.default_method_id:
        payment_method_changed.send(row.pk)
    return row


def customer_values(
    found: CustomerFacts, account: Account, fetched_at: datetime, *, is_gone: bool
) -> dict[str, Any]:
    """A customer's row; without name and address where its person was erased here."""
    return {
        "account": account,
        "provider": PROVIDER,
        "name": "" if is_gone else found.name[:200],
        "email": "" if is_gone else found.email[:254],
        "language": found.language,
        "country": found.country[:2],
        "currency": found.currency[:3],
        "default_method": found.default_method_id,
        "discount": found.discount[:300],
        "is_deleted": False,
        "fetched_at": fetched_at,
    }


def _deleted(
    found: CustomerFacts, row: BillingCustomer | None, *, fetched_at: datetime, now: datetime
) -> BillingCustomer:
    """The provider knows nothing of it but its id; its subscriptions and invoices are still somebody's."""
    if row is None:
        row = BillingCustomer(
            external_id=found.id, provider=PROVIDER, account=account_of(found, None, now=now)
        )
    row.is_deleted, row.fetched_at = True, fetched_at
    row.save()
    return row


def _move(customer: BillingCustomer, *, from_account: int | None) -> None:
    """The company said whose customer this really is: what belongs to it goes along."""
    invoices = Invoice.objects.filter(customer=customer)
    PaymentAttempt.objects.filter(invoice__in=invoices).update(account_id=customer.account_id)
    invoices.update(account_id=customer.account_id)
    Subscription.objects.filter(customer=customer).update(account_id=customer.account_id)
    rebuild_movements(pk for pk in (from_account, customer.account_id) if pk is not None)


def apply_method(
    found: MethodFacts,
    *,
    fetched_at: datetime,
    now: datetime,
    replaced_at: datetime | None = None,
    is_quiet: bool = False,
) -> PaymentMethod | None:
    """Write a payment method; None when something newer is here or its customer is not.

    `replaced_at`: the card network's updater said so. A card with other data is another card: what its bank once
    refused for good may be charged again.
    """
    lock_object(found.id)
    row = known_row(PaymentMethod, found.id)
    if is_stale(row, fetched_at):
        return None
    customer = known_row(BillingCustomer, found.customer_id) if found.customer_id else None
    if customer is None and row is None:
        return None
    values = method_values(found, fetched_at)
    values["detached_at"] = None if customer else ((row and row.detached_at) or now)
    if customer is not None:
        values["customer"] = customer
    is_another = row is not None and _card_of(row) != (found.fingerprint, found.exp_month, found.exp_year)
    if replaced_at is not None or is_another:
        values |= {"replaced_at": replaced_at or now, "blocked_at": None, "blocked_code": ""}
    is_news = (
        row is None or is_another or replaced_at is not None or bool(row.detached_at) != (customer is None)
    )
    row = _written(row or PaymentMethod(external_id=found.id), values)
    if is_news and not is_quiet:
        payment_method_changed.send(row.customer_id)
    return row


def method_values(found: MethodFacts, fetched_at: datetime) -> dict[str, Any]:
    """A payment method's row without whose it is."""
    return {
        "kind": found.kind[:40],
        "brand": found.brand[:40],
        "last4": found.last4,
        "exp_month": found.exp_month,
        "exp_year": found.exp_year,
        "country": found.country[:2],
        "fingerprint": found.fingerprint[:100],
        "wallet": found.wallet[:40],
        "created_at": found.created_at,
        "fetched_at": fetched_at,
    }


def _card_of(row: PaymentMethod) -> tuple[str, int | None, int | None]:
    return row.fingerprint, row.exp_month, row.exp_year
