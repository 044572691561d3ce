"""Which days of the past can teach a model: where outcomes could be seen, and are known by now."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Max, Min

from accounts.models import Invoice, Subscription, Ticket, Workspace
from cs_platform.lib.periods import day_start, local_day
from cs_platform.lib.scoping import current_workspace_id
from health.models import AccountDay

WEEK = timedelta(days=7)
MOST_WEEKS = 104


def known_until(as_of: date) -> date:
    """The first day of which nothing is known yet: `as_of`, or earlier where the data stop.

    In an export that ends months ago the silence after its last fact is not "nobody left".
    """
    workspace = Workspace.objects.get(pk=current_workspace_id())
    limit = day_start(as_of, workspace.zone)
    last = AccountDay.objects.filter(day__lt=as_of).aggregate(at=Max("day"))["at"]
    moments = [
        Subscription.objects.filter(started_at__lt=limit).aggregate(at=Max("started_at"))["at"],
        Subscription.objects.filter(ended_at__lt=limit).aggregate(at=Max("ended_at"))["at"],
        Ticket.objects.filter(opened_at__lt=limit).aggregate(at=Max("opened_at"))["at"],
        Invoice.objects.filter(due_at__lt=limit).aggregate(at=Max("due_at"))["at"],
    ]
    days = [local_day(moment, workspace.zone) for moment in moments if moment] + ([last] if last else [])
    return min(as_of, max(days) + timedelta(days=1)) if days else as_of


def training_dates(*, as_of: date, horizon_days: int) -> list[date]:
    """Weekly days whose horizon is over, newest first known outcome last; ascending.

    Days before the first recorded end are left out: accounts that left earlier are not in
    the data, so nobody could have churned then (survivorship). Where that leaves no day but
    the newest one comes within a week of the first end, that one day is taken.
    """
    workspace = Workspace.objects.get(pk=current_workspace_id())
    newest = known_until(as_of) - timedelta(days=horizon_days)
    first_end: datetime | None = Subscription.objects.aggregate(at=Min("ended_at"))["at"]
    if first_end is None:
        return []
    first = local_day(first_end, workspace.zone)
    dates = [newest - WEEK * back for back in range(MOST_WEEKS) if newest - WEEK * back >= first]
    if not dates and first - newest <= WEEK:
        dates = [newest]
    return sorted(dates)
