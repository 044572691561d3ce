"""Who has left on purpose, and who has said when they will."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import EndedCause, Invoice, LetGo, Subscription
from cs_platform.lib.quick_rows import QuickRows

_LET_GO = QuickRows(LetGo)
ABOUT = timedelta(
    days=1
)  # an invoice's period and the end of its subscription may be taken at different moments


def has_left(invoice: Invoice, *, now: datetime) -> bool:
    """They ended the subscription themselves, or we let them go. Nobody asks them for anything any more."""
    subscription: Subscription | None = invoice.subscription
    if subscription is not None and subscription.ended_cause == EndedCause.VOLUNTARY:
        return subscription.ended_at is None or subscription.ended_at <= now
    return _LET_GO.exists("account_id = %s AND withdrawn_at IS NULL", invoice.account_id)


def leaves_at(invoice: Invoice, *, now: datetime) -> datetime | None:
    """When the subscription ends by the customer's wish, where that lies ahead.

    A contract that simply runs out has an end and no reason, and counts as none. Imports write the planned end
    as `ended_at`; a provider's stands in `cancel_at`, with the reason that the customer gave.
    """
    subscription: Subscription | None = invoice.subscription
    if subscription is None:
        return None
    if subscription.ended_at is not None:
        is_ahead = subscription.ended_at > now and subscription.ended_cause == EndedCause.VOLUNTARY
        return subscription.ended_at if is_ahead else None
    return subscription.cancel_at if subscription.ended_reason else None


def is_owed_until(invoice: Invoice, end: datetime) -> bool:
    """Whether the invoice is for the time until the planned end only; without a period it is taken to be."""
    return invoice.period_end is None or invoice.period_end <= end + ABOUT


def is_for_after(invoice: Invoice, end: datetime) -> bool:
    """Whether it is for the time after the planned end only: nothing of it is owed."""
    return invoice.period_start is not None and invoice.period_start >= end
