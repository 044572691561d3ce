"""Support tickets as imports bring them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q

from accounts.imports.parsing import ParsedRow
from accounts.models import Contact, Ticket
from accounts.services.import_rows import ChunkResult, ImportContext, save_rows, with_account

_FIELDS = ("subject", "opened_at", "closed_at", "priority", "satisfaction")


def import_tickets(context: ImportContext, rows: Sequence[ParsedRow]) -> ChunkResult:
    """Create or update tickets by external id. A contact we do not know is left out, with a warning."""
    result = ChunkResult()
    known = [pair for pair in with_account(rows, result) if _ends_after_start(pair[0], result)]
    contacts = _contacts({row.values["contact"] for row, _ in known if "contact" in row.values})
    wanted = {}
    for row, account_id in known:
        values = row.given(_FIELDS)
        if "subject" in row.cleared:
            values["subject"] = ""
        contact_id = _contact(context, row, account_id, contacts)
        if contact_id or "contact" in row.cleared:
            values["contact_id"] = contact_id
        wanted[row.values["external_id"]] = values | {"account_id": account_id, "properties": row.extras}
    saved = save_rows(context, Ticket, wanted, lambda key: {})
    result.count(len(known), len(saved.created), len(saved.updated))
    return result


def _ends_after_start(row: ParsedRow, result: ChunkResult) -> bool:
    closed_at = row.get("closed_at")
    if closed_at and closed_at < row.values["opened_at"]:
        result.refuse(row, "ends_before_start", "closed_at")
        return False
    return True


def _contacts(keys: Iterable[str]) -> dict[tuple[int, str], int]:
    """Contacts by account and by external id or address."""
    keys = set(keys)
    found = {}
    if keys:
        rows = Contact.objects.filter(Q(external_id__in=keys) | Q(email__in=[key.lower() for key in keys]))
        for pk, account_id, external_id, email in rows.values_list(
            "pk", "account_id", "external_id", "email"
        ):
            found[account_id, external_id] = found[account_id, email] = pk
    return found


def _contact(context: ImportContext, row: ParsedRow, account_id: int, contacts: dict[Any, int]) -> int | None:
    key = row.get("contact")
    if key is None:
        return None
    found = contacts.get((account_id, key)) or contacts.get((account_id, key.lower()))
    if found is None:
        context.warnings["unknown_contact", key] += 1
    return found
