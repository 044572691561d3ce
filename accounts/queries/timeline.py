"""The account's timeline: what happened, from every source, newest first."""

from __future__ import annotations

from datetime import datetime
from heapq import nlargest

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


def subscription_entries(account: Account, limit: int) -> list[TimelineEntry]:
    """The start of each subscription, every change of its terms, its end."""
    rows = SubscriptionChange.objects.filter(subscription__account=account).select_related(
        "plan", "subscription"
    )
    changes = list(rows.order_by("subscription_id", "effective_at"))
    entries, before = [], None
    for row in changes:
        same = before is not None and before.subscription_id == row.subscription_id
        entries.append(_change(before if same else None, row))
        before = row
    ended = {row.subscription_id: row.subscription for row in changes if row.subscription.ended_at}
    entries += [_end(subscription) for subscription in ended.values()]
    return nlargest(limit, entries, key=lambda entry: entry.when)


def _change(before: SubscriptionChange | None, row: SubscriptionChange) -> TimelineEntry:
    plan = row.plan.name if row.plan else gettext("no plan")
    price = gettext("%(amount)s a month") % {"amount": money(row.mrr_minor, row.currency)}
    if before is None:
        title = gettext("Subscription started: %(plan)s, %(price)s") % {"plan": plan, "price": price}
        return TimelineEntry(row.effective_at, title, icon="credit-card")
    old = gettext("%(amount)s a month") % {"amount": money(before.mrr_minor, before.currency)}
    shrinks = row.mrr_minor < before.mrr_minor and row.currency == before.currency
    text = f"{old} → {price}" if old != price else price
    if row.seats != before.seats and row.seats is not None:
        text += " · " + gettext("%(seats)d seats") % {"seats": row.seats}
    title = gettext("Terms changed: %(plan)s") % {"plan": plan}
    icon, tone = ("trending-down", "amber") if shrinks else ("trending-up", "")
    return TimelineEntry(row.effective_at, title, text, icon=icon, tone=tone)


def _end(subscription: Subscription) -> TimelineEntry:
    reason = subscription.ended_reason_label
    return TimelineEntry(
        subscription.ended_at or subscription.started_at,
        gettext("End of the subscription"),
        reason,
        icon="door-open",
        tone="red",
    )
