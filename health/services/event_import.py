"""Events from a file: the same intake as over HTTP, after the rows' accounts have been looked up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.imports.fields import ImportField as F
from accounts.imports.fields import ImportSpec
from accounts.imports.parsing import ParsedRow
from accounts.models import Account, AccountAlias, Contact, Import, Subscription
from accounts.services.import_rows import ChunkResult, ImportContext
from health.intake.rows import EventRow
from health.services.events import remove_events_of_import, store_events

EVENTS = ImportSpec(
    name="events",
    fields=(
        F("message_id", "key", label=_("Event's own id"), aliases=("id", "event_id", "usage_id", "uuid")),
        F(
            "account",
            "key",
            label=_("Account"),
            aliases=("account_id", "customer_id", "group_id", "company_id"),
        ),
        F("subscription", "key", label=_("Subscription"), aliases=("subscription_id",)),
        F("contact", "key", label=_("Contact"), aliases=("contact_id", "user_id", "email")),
        F(
            "event",
            label=_("Event"),
            required=True,
            aliases=("event_name", "feature_name", "feature", "action", "name"),
        ),
        F(
            "occurred_at",
            "date",
            label=_("Happened at"),
            required=True,
            aliases=("usage_date", "timestamp", "date", "time"),
        ),
        F(
            "quantity",
            "number",
            label=_("Quantity"),
            low=-(10**12),
            aliases=("usage_count", "count", "value"),
        ),
    ),
)
CHUNK = 20_000


def import_events(context: ImportContext, rows: Sequence[ParsedRow]) -> ChunkResult:
    """Store events of known accounts, subscriptions or contacts; a stored one counts as unchanged."""
    result = ChunkResult()
    known = _known(rows, result)
    stored = store_events(
        (_event(row) for row in known),
        received_at=context.now,
        source="import",
        source_import_id=context.source_import.pk,
    )
    for rejection in stored.rejected:
        row = known[rejection.index]
        result.refuse(row, "refused_event", rejection.field)
        result.refused[-1].problem.params["reason"] = str(rejection.reason)
    result.created, result.unchanged = stored.stored, stored.duplicates
    return result


def undo_events(source_import: Import) -> int:
    return remove_events_of_import(source_import.pk)


def _event(row: ParsedRow) -> EventRow:
    return EventRow(
        occurred_at=row.values["occurred_at"],
        name=row.values["event"],
        message_id=row.get("message_id", ""),
        user_key=row.get("contact", ""),
        group_key=row.get("account") or row.get("subscription") or "",
        quantity=row.get("quantity", 1.0),
        properties=row.extras or None,
    )


def _known(rows: Sequence[ParsedRow], result: ChunkResult) -> list[ParsedRow]:
    accounts = _accounts(row.values["account"] for row in rows if "account" in row.values)
    subscriptions = _present(Subscription, rows, "subscription")
    contacts = _contacts(row.values["contact"] for row in rows if "contact" in row.values)
    kept = []
    for row in rows:
        account, subscription, contact = (row.get(name) for name in ("account", "subscription", "contact"))
        if account is not None and account not in accounts:
            result.refuse(row, "unknown_account", "account", account)
        elif subscription is not None and account is None and subscription not in subscriptions:
            result.refuse(row, "unknown_subscription", "subscription", subscription)
        elif account is None and subscription is None and contact is None:
            result.refuse(row, "no_account_key", "account")
        elif account is None and subscription is None and contact not in contacts:
            result.refuse(row, "unknown_contact", "contact", contact)
        else:
            kept.append(row)
    return kept


def _accounts(keys: Iterable[str]) -> set[str]:
    keys = set(keys)
    found = set(Account.objects.filter(external_id__in=keys).values_list("external_id", flat=True))
    return found | set(AccountAlias.objects.filter(key__in=keys).values_list("key", flat=True))


def _present(model: type[Subscription], rows: Sequence[ParsedRow], name: str) -> set[str]:
    keys = {row.values[name] for row in rows if name in row.values}
    return set(model.objects.filter(external_id__in=keys).values_list("external_id", flat=True))


def _contacts(keys: Iterable[str]) -> set[str]:
    """External ids and addresses of contacts, as the file writes them."""
    keys = set(keys)
    lowered = {key.lower(): key for key in keys}
    rows = Contact.objects.filter(Q(external_id__in=keys) | Q(email__in=lowered)).values_list(
        "external_id", "email"
    )
    return {key for external_id, email in rows for key in (external_id, lowered.get(email.lower(), ""))}
