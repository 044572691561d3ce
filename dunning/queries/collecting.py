"""Failed payments that wait for the decision to collect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from cs_platform.lib.scoping import current_workspace_id

# As `services/cases.py` opens them: owed, failed, nobody who left on purpose, no case yet.
_WAITING = """
SELECT i.id, i.public_id, a.name, coalesce(nullif(i.number, ''), i.external_id), i.amount_minor - i.amount_paid_minor,
       i.currency, f.at, i.provider
FROM accounts_invoice i
JOIN accounts_account a ON a.workspace_id = i.workspace_id AND a.id = i.account_id
JOIN LATERAL (
    SELECT min(t.attempted_at) AS at FROM accounts_paymentattempt t
    WHERE t.workspace_id = i.workspace_id AND t.invoice_id = i.id AND t.status = 'failed'
) f ON f.at >= %(since)s
LEFT JOIN accounts_subscription s ON s.workspace_id = i.workspace_id AND s.id = i.subscription_id
WHERE i.workspace_id = %(workspace)s AND i.status = 'open' AND i.amount_minor > i.amount_paid_minor
  AND NOT (coalesce(s.ended_cause, '') = 'voluntary' AND coalesce(s.ended_at, '-infinity') <= %(now)s)
  AND NOT EXISTS (SELECT FROM accounts_letgo g WHERE g.workspace_id = i.workspace_id AND g.account_id = i.account_id
                  AND g.withdrawn_at IS NULL)
  AND NOT EXISTS (SELECT FROM dunning_dunningcase c WHERE c.workspace_id = i.workspace_id AND c.invoice_id = i.id)
ORDER BY 5 DESC, i.id
"""


@dataclass(frozen=True, slots=True)
class WaitingInvoice:
    """An invoice that failed and has no case. `provider` empty: nothing can be charged, a person asks for it."""

    invoice_id: int
    public_id: Any
    account: str
    number: str
    amount_minor: int
    currency: str
    failed_at: datetime
    provider: str


def waiting_invoices(*, since: datetime, now: datetime) -> list[WaitingInvoice]:
    """Those whose first failure is not older than `since`, the largest first; one query."""
    values: dict[str, Any] = {"workspace": current_workspace_id(), "since": since, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, values)
        return [WaitingInvoice(*row) for row in cursor.fetchall()]
