"""The account's timeline: what happened, from every source, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from heapq import nlargest
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject
from django.utils.translation import gettext

from accounts.models import (
    Account,
    Activity,
    Subscription,
    SubscriptionChange,
    Ticket,
    TicketPriority,
    TouchKind,
)
from accounts.queries.notes import visible_notes
from accounts.registry import TimelineEntry, timeline_sources
from cs_platform.lib.formats import money

LIMIT = 40
ICONS = {"call": "phone", "meeting": "users", "email": "mail", "visit": "door-open"}
LOUD = (TicketPriority.HIGH, TicketPriority.URGENT)


def timeline(account: Account, *, now: datetime, limit: int = LIMIT) -> list[TimelineEntry]:
    """The newest entries of all registered sources, merged; each source answers at most `limit`."""
    found = [entry for source in timeline_sources for entry in source.load(account, limit)]
    return nlargest(limit, found, key=lambda entry: entry.when)


def activity_entries(account: Account, limit: int) -> list[TimelineEntry]:
    rows = (
        Activity.objects.filter(account=account)
        .exclude(source="accounts.mail")  # stands there as the mail itself (`queries/mails.py`)
        .select_related("author", "contact")
        .order_by("-occurred_at")
    )
    return [_activity(row) for row in rows[:limit]]


def _activity(row: Activity) -> TimelineEntry:
    known = row.kind in TouchKind.values
    kind = str(TouchKind(row.kind).label) if known else row.kind.replace("_", " ").capitalize()
    if row.contact:
        kind = gettext("%(kind)s with %(name)s") % {"kind": kind, "name": row.contact}
    return TimelineEntry(
        when=row.occurred_at,
        title=row.title or kind,
        text=row.body,
        who=str(row.author) if row.author else "",
        icon=ICONS.get(row.kind, "activity"),
        is_touch=row.is_touch,
    )


def note_entries(account: Account, limit: int) -> list[TimelineEntry]:
    return [
        TimelineEntry(
            when=row.created_at,
            title=gettext("Note"),
            text=row.body,
            who=str(row.author) if row.author else "",
            icon="sticky-note",
            note_id=str(row.public_id),
        )
        for row in visible_notes(account)[:limit]
    ]


def keep_tickets(account: Account, newest: list[Ticket]) -> None:
    """The account's newest LIMIT tickets, for whoever has read them already."""
    account.__dict__["_newest_tickets"] = newest


def ticket_entries(account: Account, limit: int) -> list[TimelineEntry]:
    kept: list[Ticket] | None = account.__dict__.get("_newest_tickets") if limit <= LIMIT else None
    if kept is None:
        rows = list(Ticket.objects.filter(account=account).order_by("-opened_at")[:limit])
    else:
        rows = nlargest(limit, kept, key=lambda ticket: ticket.opened_at)
    return [
        TimelineEntry(
            when=row.opened_at,
            title=gettext("Ticket: %(subject)s") % {"subject": row.subject or row.external_id},
            text="",
            who="",
            icon="ticket",
            tone="amber" if row.priority in LOUD and row.closed_at is None else "",
        )
        for row in rows
    ]


def subscriptions_of(account: Account) -> list[Any]:
    """All subscriptions with their plan, and their terms over time as `terms`; read once for the parts of a page."""
    kept: list[Any] | None = account.__dict__.get("_subscriptions")
    if kept is None:
        changes = SubscriptionChange.objects.filter(subscription=OuterRef("pk")).order_by("effective_at")
        names = ("effective_at", "mrr_minor", "currency", "seats")
        term = JSONObject(**{name: name for name in names}, plan="plan__name")
        rows = Subscription.objects.filter(account=account).select_related("plan")
        kept = list(rows.annotate(terms=ArraySubquery(changes.values(term=term))).order_by("pk"))
        account.__dict__["_subscriptions"] = kept
    return kept


def subscription_entries(account: Account, limit: int) -> list[TimelineEntry]:
    """The start of each subscription, every change of its terms, its end."""
    entries = []
    for subscription in subscriptions_of(account):
        terms = subscription.terms
        entries += [_change(before, term) for before, term in zip([None, *terms], terms, strict=False)]
    ended = [one for one in subscriptions_of(account) if one.terms and one.ended_at]
    entries += [_end(subscription) for subscription in ended]
    return nlargest(limit, entries, key=lambda entry: entry.when)


def _change(before: Mapping[str, Any] | None, term: Mapping[str, Any]) -> TimelineEntry:
    when = datetime.fromisoformat(term["effective_at"])
    plan = term["plan"] or gettext("no plan")
    price = gettext("%(amount)s a month") % {"amount": money(term["mrr_minor"], term["currency"])}
    if before is None:
        title = gettext("Subscription started: %(plan)s, %(price)s") % {"plan": plan, "price": price}
        return TimelineEntry(when, title, icon="credit-card")
    old = gettext("%(amount)s a month") % {"amount": money(before["mrr_minor"], before["currency"])}
    shrinks = term["mrr_minor"] < before["mrr_minor"] and term["currency"] == before["currency"]
    text = f"{old} → {price}" if old != price else price
    if term["seats"] != before["seats"] and term["seats"] is not None:
        text += " · " + gettext("%(seats)d seats") % {"seats": term["seats"]}
    title = gettext("Terms changed: %(plan)s") % {"plan": plan}
    icon, tone = ("trending-down", "amber") if shrinks else ("trending-up", "")
    return TimelineEntry(when, title, text, icon=icon, tone=tone)


def _end(subscription: Subscription) -> TimelineEntry:
    reason = subscription.ended_reason_label
    return TimelineEntry(
        subscription.ended_at or subscription.started_at,
        gettext("End of the subscription"),
        reason,
        icon="door-open",
        tone="red",
    )
