"""Rows as the API lists them: everything an answer shows is read with them, whatever their number."""

from __future__ import annotations

from accounts.models import (
    Activity,
    Contact,
    Invoice,
    Note,
    Segment,
    SegmentMembership,
    Subscription,
    Ticket,
)
from cs_platform.lib.scoping import ScopedQuerySet


def contacts() -> ScopedQuerySet:
    found: ScopedQuerySet = Contact.objects.select_related("account")
    return found


def subscriptions() -> ScopedQuerySet:
    found: ScopedQuerySet = Subscription.objects.select_related("account", "plan")
    return found


def tickets() -> ScopedQuerySet:
    found: ScopedQuerySet = Ticket.objects.select_related("account", "contact")
    return found


def invoices() -> ScopedQuerySet:
    found: ScopedQuerySet = Invoice.objects.select_related("account", "subscription")
    return found


def notes() -> ScopedQuerySet:
    """Notes that nobody took away."""
    found: ScopedQuerySet = Note.objects.filter(deleted_at__isnull=True).select_related("account", "author")
    return found


def activities() -> ScopedQuerySet:
    found: ScopedQuerySet = Activity.objects.select_related("account", "contact", "author")
    return found


def segments() -> ScopedQuerySet:
    found: ScopedQuerySet = Segment.objects.all()
    return found


def members(segment: Segment) -> ScopedQuerySet:
    """Who is in the segment now."""
    stays = SegmentMembership.objects.filter(segment=segment, left_at__isnull=True)
    found: ScopedQuerySet = stays.select_related("account")
    return found
