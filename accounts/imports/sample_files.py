"""Small example files, one per kind, that fit together and can be imported as they are."""

from __future__ import annotations

from accounts.imports.fields import ImportSpec

_ACCOUNTS = ("northwind", "contoso", "hanbit")
# Values by field, one per row; a field that a kind means differently stands under "kind.field".
_VALUES: dict[str, tuple[str, str, str]] = {
    "accounts.external_id": _ACCOUNTS,
    "accounts.name": ("Northwind", "Contoso", "한빛소프트"),
    "accounts.domain": ("northwind.example", "contoso.example", "hanbit.example"),
    "accounts.created_at": ("2025-02-03", "2025-06-17", "2026-01-12"),
    "industry": ("Logistics", "Retail", "Software"),
    "country": ("DE", "US", "KR"),
    "csm_email": ("", "", ""),
    "account": _ACCOUNTS,
    "contacts.external_id": ("c-1", "c-2", "c-3"),
    "email": ("mina@northwind.example", "sam@contoso.example", "jiho@hanbit.example"),
    "contacts.name": ("Mina Park", "Sam Reed", "김지호"),
    "role": ("admin", "billing", "executive"),
    "language": ("en", "en", "ko"),
    "subscriptions.external_id": ("s-1", "s-2", "s-3"),
    "plan": ("Growth", "Growth", "Starter"),
    "mrr": ("1200.00", "890.50", "240.00"),
    "currency": ("USD", "USD", "USD"),
    "seats": ("40", "25", "8"),
    "billing_interval": ("monthly", "annual", "monthly"),
    "started_at": ("2025-02-03", "2025-06-17", "2026-01-12"),
    "message_id": ("e-1", "e-2", "e-3"),
    "event": ("Report Created", "Signed In", "Report Created"),
    "events.occurred_at": ("2026-03-02 09:15", "2026-03-02 10:40", "2026-03-03 08:05"),
    "events.contact": ("c-1", "c-2", "c-3"),
    "quantity": ("1", "1", "3"),
    "tickets.external_id": ("t-1", "t-2", "t-3"),
    "contact": ("c-1", "c-2", "c-3"),
    "subject": ("Export fails", "How do I add people?", "Invoice address"),
    "opened_at": ("2026-02-10 14:00", "2026-02-21 09:30", "2026-03-01 16:45"),
    "closed_at": ("2026-02-11 10:00", "2026-02-21 11:00", ""),
    "priority": ("high", "normal", "low"),
    "satisfaction": ("2", "5", ""),
    "cancellations.occurred_at": ("2026-03-05", "", ""),
    "cancellations.account": ("contoso", "", ""),
    "cancellations.subscription": ("s-2", "", ""),
    "reason": ("too_expensive", "", ""),
    "cause": ("voluntary", "", ""),
    "comment": ("Budget was cut.", "", ""),
    "invoices.external_id": ("i-1", "i-2", "i-3"),
    "invoices.subscription": ("s-1", "s-2", "s-3"),
    "amount": ("1200.00", "10686.00", "240.00"),
    "status": ("paid", "paid", "open"),
    "due_at": ("2026-03-01", "2025-06-17", "2026-03-12"),
    "paid_at": ("2026-03-01", "2025-06-20", ""),
    "attempts": ("1", "2", "1"),
    "last_error": ("", "insufficient_funds", ""),
}


def sample_rows(spec: ImportSpec) -> tuple[list[str], list[list[str]]]:
    """Header and rows: the fields that have an example, and the rows in which the required ones are filled."""
    columns = {f.name: _VALUES.get(f"{spec.name}.{f.name}") or _VALUES.get(f.name) for f in spec.fields}
    known = {name: values for name, values in columns.items() if values is not None}
    rows = [[values[number] for values in known.values()] for number in range(len(_ACCOUNTS))]
    return list(known), [row for row in rows if any(row)]
