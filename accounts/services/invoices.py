"""Invoices as imports bring them, with the attempts to collect them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts.imports.parsing import ParsedRow
from accounts.imports.problems import shown
from accounts.models import Invoice, PaymentAttempt
from accounts.services.import_rows import (
    ChunkResult,
    ImportContext,
    save_rows,
    subscriptions_by_external_id,
    with_account,
)
from accounts.signals import invoice_changed
from cs_platform.lib.money import NotMoney, to_minor

_FIELDS = ("status", "due_at", "paid_at")
# What the file said of the attempts; kept so that a second run can see that nothing changed.
ATTEMPTS, LAST_ERROR = "payment_attempts", "payment_last_error"


def import_invoices(context: ImportContext, rows: Sequence[ParsedRow]) -> ChunkResult:
    """Create or update invoices by external id, and derive their payment attempts."""
    result = ChunkResult()
    known = with_account(rows, result)
    subscriptions = subscriptions_by_external_id(
        row.values["subscription"] for row, _ in known if "subscription" in row.values
    )
    wanted = {}
    for row, account_id in known:
        values = _values(context, row, account_id, subscriptions, result)
        if values:
            wanted[row.values["external_id"]] = values
    saved = save_rows(context, Invoice, wanted, _new(wanted))
    _renew_attempts(
        created=[saved.ids[key] for key in saved.created], updated=[saved.ids[key] for key in saved.updated]
    )
    result.count(len(wanted), len(saved.created), len(saved.updated))
    return result


def _new(wanted: dict[str, dict[str, Any]]) -> Any:
    return lambda key: {"status": "paid" if wanted[key].get("paid_at") else "open"}


def _values(
    context: ImportContext,
    row: ParsedRow,
    account_id: int,
    subscriptions: dict[str, Any],
    result: ChunkResult,
) -> dict[str, Any] | None:
    currency = row.get("currency") or context.workspace.report_currency
    try:
        amount_minor = to_minor(row.values["amount"], currency)
    except NotMoney as error:
        result.refuse(row, "not_a_number", "amount", str(error))
        return None
    values = row.given(_FIELDS)
    values |= {"account_id": account_id, "amount_minor": amount_minor, "currency": currency}
    key = row.get("subscription")
    if key:
        subscription = subscriptions.get(key)
        if subscription is None or subscription.account_id != account_id:
            code = "other_account" if subscription else "unknown_subscription"
            result.refuse(row, code, "subscription", shown(key))
            return None
        values["subscription_id"] = subscription.pk
    elif "subscription" in row.cleared:
        values["subscription_id"] = None
    names = {"attempts": ATTEMPTS, "last_error": LAST_ERROR}
    values["properties"] = row.extras | {names[name]: value for name, value in row.given(names).items()}
    return values


def _renew_attempts(*, created: Sequence[int], updated: Sequence[int]) -> None:
    """Derive the attempts anew, and tell of what was refused: new invoices that are still open, known ones
    whose attempts failed before or do now, so that whoever collects hears of failure and of payment."""
    before = _with_failures(updated)
    derive_attempts([*created, *updated])
    is_open = Invoice.objects.filter(pk__in=created, status="open").values_list("pk", flat=True)
    for invoice_id in sorted(before | _with_failures([*is_open, *updated])):
        invoice_changed.send(invoice_id)


def _with_failures(invoice_ids: Sequence[int]) -> set[int]:
    failed = PaymentAttempt.objects.filter(
        invoice_id__in=list(invoice_ids), status=PaymentAttempt.Status.FAILED
    )
    return set(failed.values_list("invoice_id", flat=True))


def derive_attempts(invoice_ids: Sequence[int]) -> None:
    """Rebuild the attempts of these invoices from what was said of them.

    A file counts attempts without dates: the failed ones are dated when the invoice was due, the
    successful one when it was paid. The code of the last failure stands at the last failed one.
    Of a provider's invoice every attempt is known; a file has nothing to add.
    """
    counted = Invoice.objects.filter(pk__in=list(invoice_ids), provider="")
    PaymentAttempt.objects.filter(invoice__in=counted).delete()
    rows = [attempt for invoice in counted for attempt in _attempts(invoice)]
    PaymentAttempt.objects.bulk_create(rows, batch_size=1000)


def _attempts(invoice: Invoice) -> list[PaymentAttempt]:
    paid = 1 if invoice.status == "paid" else 0
    error = invoice.properties.get(LAST_ERROR, "")
    failed = max(int(invoice.properties.get(ATTEMPTS, 0)) - paid, 1 if error else 0)
    rows = [
        PaymentAttempt(
            invoice=invoice,
            account_id=invoice.account_id,
            number=number,
            attempted_at=invoice.due_at,
            status=PaymentAttempt.Status.FAILED,
            decline_code=error if number == failed else "",
        )
        for number in range(1, failed + 1)
    ]
    if paid:
        rows.append(
            PaymentAttempt(
                invoice=invoice,
                account_id=invoice.account_id,
                number=failed + 1,
                attempted_at=invoice.paid_at or invoice.due_at,
                status=PaymentAttempt.Status.SUCCEEDED,
            )
        )
    return rows
