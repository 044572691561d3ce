"""MRR movements: how an account's recurring revenue changed, derived whole from the terms of its subscriptions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection

from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.staging import planned_for

# Each term is a step up where it begins and a step down where the next one or the end of the
# subscription comes. The running sum per account and currency is the MRR after each instant.
_REBUILD = """
WITH terms AS (
    SELECT s.account_id, c.currency, c.mrr_minor, greatest(c.effective_at, s.started_at) AS begins,
           least(lead(c.effective_at) OVER (PARTITION BY s.id ORDER BY c.effective_at), s.ended_at) AS ends
    FROM accounts_subscription s
    JOIN accounts_subscriptionchange c ON c.workspace_id = s.workspace_id AND c.subscription_id = s.id
    WHERE s.workspace_id = %(workspace)s AND s.account_id = ANY(%(accounts)s)
), steps AS (
    SELECT account_id, currency, begins AS at, mrr_minor AS amount FROM terms
    WHERE ends IS NULL OR begins < ends
    UNION ALL
    SELECT account_id, currency, ends, -mrr_minor FROM terms WHERE begins < ends
), sums AS (
    SELECT account_id, currency, at, sum(amount)::bigint AS amount FROM steps
    GROUP BY account_id, currency, at HAVING sum(amount) <> 0
), movements AS (
    SELECT account_id, currency, at, amount,
           sum(amount) OVER w AS after, row_number() OVER w AS number
    FROM sums WINDOW w AS (PARTITION BY account_id, currency ORDER BY at)
)
INSERT INTO accounts_mrrmovement
       (workspace_id, account_id, kind, occurred_at, currency, amount_minor, mrr_before_minor, mrr_after_minor)
SELECT %(workspace)s, account_id,
       CASE WHEN number = 1 THEN 'new' WHEN after = amount THEN 'reactivation' WHEN after = 0 THEN 'churn'
            WHEN amount > 0 THEN 'expansion' ELSE 'contraction' END,
       at, currency, amount, after - amount, after
FROM movements
"""


def rebuild_movements(account_ids: Iterable[int]) -> int:
    """Replace all movements of these accounts; returns how many there are now.

    Movements are per currency: moving a subscription to another currency is churn in the old one
    and new in the other. Several changes in one instant are one movement, their sum.
    """
    values: dict[str, Any] = {"workspace": current_workspace_id(), "accounts": sorted(set(account_ids))}
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM accounts_mrrmovement WHERE workspace_id = %(workspace)s AND account_id = ANY(%(accounts)s)",
            values,
        )
        with planned_for(cursor, len(values["accounts"])):
            cursor.execute(_REBUILD, values)
            return int(cursor.rowcount)
