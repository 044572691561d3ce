"""Pages of charges in a few statements: an invoice's first tries, and tries that are here just as they come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from accounts.gateways.stripe.facts import ChargeFacts
from accounts.models import BillingOrder, Invoice, OrderKind, PaymentAttempt
from accounts.services.billing_invoices import apply_charges, fill_attempt, says_of
from accounts.services.billing_mirror import is_stale, known_rows, lock_objects
from accounts.signals import invoice_changed


def apply_tries(found: Mapping[str, Sequence[ChargeFacts]], *, fetched_at: datetime) -> None:
    """Write some of the tries of invoices, by the invoices' ids; each one's others stand on other pages."""
    lock_objects(found)
    invoices = known_rows(Invoice, found)
    tried: dict[int, list[PaymentAttempt]] = defaultdict(list)
    for row in PaymentAttempt.objects.filter(invoice__in=invoices.values()):
        tried[row.invoice_id].append(row)
    orders = _orders([one.id for charges in found.values() for one in charges])
    rows: list[PaymentAttempt] = []
    told: list[int] = []
    for key in sorted(invoices):
        invoice, charges = invoices[key], found[key]
        if is_stale(invoice, fetched_at):
            continue
        if invoice.pk not in tried and len({one.id for one in charges}) == len(charges):
            rows += _first_tries(invoice, charges, orders)
            is_news = True
        else:
            is_same = _are_here(invoice, charges, tried[invoice.pk], orders)
            is_news = not is_same and apply_charges(invoice, charges)
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


def _are_here(
    invoice: Invoice,
    charges: Sequence[ChargeFacts],
    tried: Sequence[PaymentAttempt],
    orders: Mapping[tuple[int, str], BillingOrder],
) -> bool:
    """Whether each of these tries is here and says the same."""
    here = {row.external_id: row for row in tried}
    if "" in here:
        return False
    for one in charges:
        row = here.get(one.id)
        if row is None:
            return False
        before = says_of(row)
        fill_attempt(row, invoice, one, orders.get((invoice.pk, one.id)))
        if says_of(row) != before:
            return False
    return True


def _orders(charges: Sequence[str]) -> dict[tuple[int, str], BillingOrder]:
    """The platform's own charges, by invoice and the provider's id."""
    ours = BillingOrder.objects.filter(kind=OrderKind.PAY, provider_ref__in=charges)
    return {(order.invoice_id or 0, order.provider_ref): order for order in ours}
