"""Ways to split the customers of a report: by plan, industry, segment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext

from accounts.models import Account, Segment, SegmentMembership
from accounts.queries.report_context import ReportContext
from accounts.registry import AccountGroup

# The plan an account had when the period began (of its largest subscription), not the one it fell to later.
_PLANS = """
SELECT DISTINCT ON (s.account_id) s.account_id, coalesce(p.name, '')
FROM accounts_subscription s
LEFT JOIN LATERAL (
    SELECT c.plan_id, c.mrr_minor FROM accounts_subscriptionchange c
    WHERE c.workspace_id = s.workspace_id AND c.subscription_id = s.id AND c.effective_at < %(start)s
    ORDER BY c.effective_at DESC LIMIT 1
) c ON true
LEFT JOIN accounts_plan p ON p.workspace_id = s.workspace_id AND p.id = coalesce(c.plan_id, s.plan_id)
WHERE s.workspace_id = %(workspace)s AND s.started_at < %(start)s AND (s.ended_at IS NULL OR s.ended_at >= %(start)s)
ORDER BY s.account_id, coalesce(c.mrr_minor, s.mrr_minor) DESC, s.id
"""


def by_plan(context: ReportContext) -> list[AccountGroup]:
    """Plan at the start of the period; one query."""
    values: dict[str, Any] = {"workspace": context.workspace.pk, "start": _start(context)}
    with connection.cursor() as cursor:
        cursor.execute(_PLANS, values)
        return _grouped(cursor.fetchall(), gettext("No plan"))


def by_industry(_context: ReportContext) -> list[AccountGroup]:
    """Industry as it is known today; one query."""
    return _grouped(Account.objects.values_list("pk", "industry"), gettext("No industry"))


def by_segment(context: ReportContext) -> list[AccountGroup]:
    """Members at the start of the period, or of today where the segment is younger than that; two queries."""
    start = _start(context)
    rows = SegmentMembership.objects.filter(Q(left_at__isnull=True) | Q(left_at__gt=start))
    then: dict[int, set[int]] = defaultdict(set)
    today: dict[int, set[int]] = defaultdict(set)
    for segment, account, entered, left in rows.values_list(
        "segment_id", "account_id", "entered_at", "left_at"
    ):
        if entered <= start:
            then[segment].add(account)
        if left is None:
            today[segment].add(account)
    return [
        AccountGroup(segment.name, frozenset(then.get(segment.pk) or today.get(segment.pk) or set()))
        for segment in Segment.objects.order_by("name")
    ]


def _start(context: ReportContext) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=context.period.start)


def _grouped(rows: Iterable[tuple[int, str]], nameless: str) -> list[AccountGroup]:
    found: dict[str, set[int]] = defaultdict(set)
    for account, name in rows:
        found[name or nameless].add(account)
    return [AccountGroup(name, frozenset(ids)) for name, ids in sorted(found.items())]
