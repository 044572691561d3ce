"""Accounts and contacts as imports bring them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts.imports.parsing import ParsedRow
from accounts.models import Account, Contact, ContactRole, Membership
from accounts.services.erased import tombstones
from accounts.services.import_rows import ChunkResult, ImportContext, save_rows, with_account
from accounts.services.traits import MAX_KEY, MAX_TEXT, import_traits

_ACCOUNT_FIELDS = ("name", "domain", "industry", "country", "created_at")


def import_accounts(context: ImportContext, rows: Sequence[ParsedRow]) -> ChunkResult:
    """Create or update accounts by external id, and write their traits."""
    result = ChunkResult()
    kept = [row for row in rows if _traits_fit(row, result)]
    csms = _csms(context)
    wanted = {row.values["external_id"]: _account_values(context, row, csms) for row in kept}
    saved = save_rows(
        context,
        Account,
        wanted,
        lambda key: {"name": key, "created_at": context.now, "is_start_assumed": True},
    )
    keys = {saved.ids[row.values["external_id"]]: row.values["external_id"] for row in kept}
    traits = {saved.ids[row.values["external_id"]]: row.extras for row in kept}
    with_new_traits = {keys[account_id] for account_id in import_traits(context, traits)}
    result.count(len(kept), len(saved.created), len((saved.updated | with_new_traits) - saved.created))
    return result


def _account_values(context: ImportContext, row: ParsedRow, csms: dict[str, int]) -> dict[str, Any]:
    values = {name: value or "" for name, value in row.given(_ACCOUNT_FIELDS).items()}
    if "created_at" in values:
        values["is_start_assumed"] = False
    address = row.get("csm_email")
    if address in csms:
        values["csm_id"] = csms[address]
    elif "csm_email" in row.cleared:
        values["csm_id"] = None
    elif address:
        context.warnings["unknown_csm", address] += 1
    return values


def _csms(context: ImportContext) -> dict[str, int]:
    if "csms" not in context.cache:
        rows = Membership.objects.filter(is_active=True).values_list("user__email", "pk")
        context.cache["csms"] = {email.lower(): pk for email, pk in rows}
    cached: dict[str, int] = context.cache["csms"]
    return cached


def _traits_fit(row: ParsedRow, result: ChunkResult) -> bool:
    for column, (text, _) in row.extras.items():
        if len(column) > MAX_KEY or len(text) > MAX_TEXT:
            result.refuse(row, "too_long", column)
            result.refused[-1].problem.params["limit"] = MAX_TEXT
            return False
    return True


def import_contacts(context: ImportContext, rows: Sequence[ParsedRow]) -> ChunkResult:
    """Create or update contacts by external id; without one, a contact is known by address and account."""
    result = ChunkResult()
    known = _not_erased(with_account(rows, result), result)
    _adopt_by_address(known)
    began = dict(Account.objects.filter(pk__in={pk for _, pk in known}).values_list("pk", "created_at"))
    wanted = {row.values["external_id"]: _contact_values(row, account_id) for row, account_id in known}
    accounts = {row.values["external_id"]: account_id for row, account_id in known}
    saved = save_rows(
        context,
        Contact,
        wanted,
        # Like an undated trait: nobody told us when, so known since the account began.
        lambda key: {"created_at": began[accounts[key]], "language": context.workspace.language},
    )
    result.count(len(known), len(saved.created), len(saved.updated))
    return result


def _not_erased(known: Sequence[tuple[ParsedRow, int]], result: ChunkResult) -> list[tuple[ParsedRow, int]]:
    """A file from before an erasure must not bring the person back."""
    names = {name for row, _ in known for name in (row.values["external_id"], row.get("email") or "")}
    erased = tombstones(names)
    kept = []
    for row, account_id in known:
        if row.values["external_id"] in erased or row.get("email") in erased:
            result.refuse(row, "erased_person", "external_id")
        else:
            kept.append((row, account_id))
    return kept


def _contact_values(row: ParsedRow, account_id: int) -> dict[str, Any]:
    given = row.given(("email", "name", "role", "language"))
    values: dict[str, Any] = {name: value or "" for name, value in given.items()}
    if "role" in values:
        values["is_champion"] = values["role"] == ContactRole.CHAMPION
    return values | {"account_id": account_id, "traits": row.extras}


def _adopt_by_address(known: Sequence[tuple[ParsedRow, int]]) -> None:
    """Give rows without an id of their own the id of the contact that already has their address."""
    nameless = [
        (row, account_id)
        for row, account_id in known
        if row.values["external_id"].startswith("row-") and "email" in row.values
    ]
    addresses = {row.values["email"] for row, _ in nameless}
    existing = {
        (account_id, email): external_id
        for account_id, email, external_id in Contact.objects.filter(email__in=addresses)
        .order_by("-pk")
        .values_list("account_id", "email", "external_id")
    }
    for row, account_id in nameless:
        row.values["external_id"] = existing.get((account_id, row.values["email"]), row.values["external_id"])
