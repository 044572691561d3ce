"""What the parts of the account page show of the customer: subscription, people, tickets, traits, notes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext

from accounts.models import (
    Account,
    AccountTrait,
    Contact,
    ContactRole,
    Subscription,
    Ticket,
    TraitDefinition,
)
from accounts.queries.notes import visible_notes
from accounts.queries.timeline import LIMIT, keep_tickets, subscriptions_of, timeline

CONTACTS_SHOWN = 12
TICKETS_SHOWN = 8


def subscription_panel(account: Account, now: datetime) -> dict[str, Any]:
    """Running subscriptions first, ended ones after them."""
    rows = sorted(subscriptions_of(account), key=lambda s: s.started_at, reverse=True)
    found = [s for s in rows if s.ended_at is None]
    found += sorted((s for s in rows if s.ended_at), key=lambda s: s.ended_at, reverse=True)
    return {
        "running": [s for s in found if not _is_over(s, now)],
        "ended": [s for s in found if _is_over(s, now)],
    }


def _is_over(subscription: Subscription, now: datetime) -> bool:
    return subscription.ended_at is not None and subscription.ended_at <= now


def contacts_panel(account: Account, now: datetime) -> dict[str, Any]:
    """Champions first, then people still there, then those who left."""
    rows = Contact.objects.filter(account=account).annotate(
        total=Window(Count("id")),
        champions=Window(Count("id", filter=Q(is_champion=True, left_at__isnull=True))),
    )
    found = list(
        rows.order_by(F("left_at").asc(nulls_first=True), "-is_champion", "name", "id")[:CONTACTS_SHOWN]
    )
    for contact in found:
        contact.role_label = (
            ContactRole(contact.role).label if contact.role in ContactRole.values else contact.role
        )
    first = found[0] if found else None
    return {
        "contacts": found,
        "total": first.total if first else 0,
        "champions": first.champions if first else 0,
    }


def tickets_panel(account: Account, now: datetime) -> dict[str, Any]:
    """Open tickets first, then the newest; counts of 90 days. The same look finds those of the timeline."""
    recently = now - timedelta(days=90)
    rows = Ticket.objects.filter(account=account).annotate(
        open=Window(Count("id", filter=Q(closed_at__isnull=True))),
        recent=Window(Count("id", filter=Q(opened_at__gt=recently))),
        by_age=Window(RowNumber(), order_by=F("opened_at").desc()),
        by_standing=Window(
            RowNumber(), order_by=[F("closed_at").desc(nulls_first=True), F("opened_at").desc()]
        ),
    )
    wanted = rows.filter(Q(by_age__lte=LIMIT) | Q(by_standing__lte=TICKETS_SHOWN))
    found = list(wanted.order_by("by_standing"))
    keep_tickets(account, [ticket for ticket in found if ticket.by_age <= LIMIT])
    first = found[0] if found else None
    return {
        "tickets": found[:TICKETS_SHOWN],
        "open": first.open if first else 0,
        "recent": first.recent if first else 0,
    }


@dataclass(frozen=True, slots=True)
class TraitRow:
    label: str
    value: str
    known_at: datetime | None


def traits_panel(account: Account, now: datetime) -> dict[str, Any]:
    """The value of each trait that holds now."""
    rows = AccountTrait.objects.filter(Q(known_at__isnull=True) | Q(known_at__lte=now), account=account)
    ordered = rows.select_related("definition").order_by(
        "definition__label", F("known_at").asc(nulls_first=True)
    )
    latest = {row.definition_id: row for row in ordered}
    return {"traits": [_trait(row) for row in latest.values()]}


def _trait(row: AccountTrait) -> TraitRow:
    is_number = row.definition.kind == TraitDefinition.Kind.NUMBER and row.value_number is not None
    value = f"{row.value_number:,.6g}" if is_number else row.value_text
    if row.definition.kind == TraitDefinition.Kind.BOOLEAN:
        value = (
            gettext("yes")
            if row.value_number or row.value_text.lower() in ("true", "yes", "1")
            else gettext("no")
        )
    return TraitRow(row.definition.label, value, row.known_at)


def notes_panel(account: Account, now: datetime) -> dict[str, Any]:
    """Pinned notes; the others stand in the timeline."""
    return {"pinned": [note for note in visible_notes(account) if note.is_pinned][:10]}


def timeline_panel(account: Account, now: datetime) -> dict[str, Any]:
    return {"entries": timeline(account, now=now)}
