"""The nightly comparison: the provider's lists beside our mirror, set against set.

The lists go into a table of their own, page by page; one statement a kind finds where the two differ. Each
difference is kept, what it names is read afresh, and it is closed when that mended it. What was read or written
while the lists were read, and what a message is still waiting for, is left to the next night: no difference is
told that is only a delay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.gateways.stripe.client import BillingError
from accounts.gateways.stripe.reading import list_charges, list_invoices_since, list_subscriptions
from accounts.models import BillingDifference, BillingSync, LedgerRow
from accounts.services.billing_refresh import Reader
from accounts.services.billing_rights import is_known_right
from accounts.services.billing_syncs import Walk
from cs_platform.lib.bulk import upsert
from cs_platform.lib.database_clock import database_now
from cs_platform.lib.scoping import current_workspace_id, workspace_scope
from cs_platform.lib.staging import planned_for_all

WINDOW = timedelta(days=100)  # of invoices and charges; what is older changes no more
FRESH = timedelta(minutes=10)  # so young that its message may still be on its way
AT_ONCE = 20
COLUMNS = ("sync_id", "object_type", "external_id", "parent_ref", "status", "amount_minor", "currency")
STAGES = ("subscription", "invoice", "charge", "compare", "mend")
Write = Callable[[], None]
Kind = BillingDifference.Kind


def ledger_step(walk: Walk) -> Write | None:
    """The next page of the lists, then the comparison, then the next differences to mend."""
    stage = walk.position.setdefault("stage", STAGES[0])
    walk.position.setdefault("began", database_now().isoformat())
    if stage == "compare":
        return lambda: _compare(walk)
    if stage == "mend":
        return _mend(walk)
    rows, cursor = _LISTS[stage](walk, walk.position.get("after", ""))

    def commit() -> None:
        listed = [(walk.sync.pk, stage, *row) for row in rows]
        upsert(LedgerRow._meta.db_table, COLUMNS, listed, key=("sync_id", "object_type", "external_id"))
        walk.count(stage, len(listed))
        following = STAGES[STAGES.index(stage) + 1]
        walk.position |= {"stage": stage if cursor else following, "after": cursor}

    return commit


def pass_list(walk: Walk) -> None:
    """The key may not read this list: it is not compared."""
    stage = walk.position["stage"]
    without = [*walk.position.get("without", []), stage]
    walk.position |= {"stage": STAGES[STAGES.index(stage) + 1], "after": "", "without": without}


def since(sync: BillingSync) -> datetime:
    began: datetime = sync.started_at
    return began - WINDOW


def _subscriptions(walk: Walk, after: str) -> tuple[Iterable[tuple[Any, ...]], str]:
    page = list_subscriptions(walk.gateway, after, is_brief=True)
    limit = walk.sync.started_at - FRESH
    return [
        (one.id, "", one.status, None, one.currency) for one in page.rows if one.started_at < limit
    ], page.cursor


def _invoices(walk: Walk, after: str) -> tuple[Iterable[tuple[Any, ...]], str]:
    page = list_invoices_since(walk.gateway, after, since(walk.sync))
    limit = walk.sync.started_at - FRESH
    rows = [
        (one.id, "", one.status, one.amount_due_minor, one.currency)
        for one in page.rows
        if one.created_at < limit
    ]
    return rows, page.cursor


def _charges(walk: Walk, after: str) -> tuple[Iterable[tuple[Any, ...]], str]:
    page = list_charges(walk.gateway, after, since=since(walk.sync))
    limit = walk.sync.started_at - FRESH
    rows = [
        (one.id, one.intent_id or one.id, one.status, one.amount_minor, one.currency)
        for one in page.rows
        if one.created_at < limit
    ]
    return rows, page.cursor


_LISTS: dict[str, Callable[[Walk, str], tuple[Iterable[tuple[Any, ...]], str]]] = {
    "subscription": _subscriptions,
    "invoice": _invoices,
    "charge": _charges,
}

# Our side of the comparison in the columns of theirs; `parent` is what a message about it names, `ours_at` when
# it was last read.
_OURS = """
    SELECT 'subscription' AS object_type, s.external_id, s.status, NULL::bigint AS amount_minor, s.fetched_at AS ours_at,
           s.external_id AS read_id, s.currency
    FROM accounts_subscription s WHERE s.workspace_id = %(workspace)s AND s.provider = 'stripe'
      AND s.started_at < %(limit)s
    UNION ALL
    SELECT 'invoice', i.external_id, i.status, i.amount_minor, i.fetched_at, i.external_id, i.currency
    FROM accounts_invoice i WHERE i.workspace_id = %(workspace)s AND i.provider = 'stripe'
      AND i.made_at >= %(since)s AND i.made_at < %(limit)s
    UNION ALL
    SELECT 'charge', a.external_id, a.status, a.amount_minor, i.fetched_at, i.external_id, i.currency
    FROM accounts_paymentattempt a
    JOIN accounts_invoice i ON i.workspace_id = a.workspace_id AND i.id = a.invoice_id
    WHERE a.workspace_id = %(workspace)s AND i.provider = 'stripe' AND a.external_id <> ''
      AND a.attempted_at >= %(since)s AND a.attempted_at < %(limit)s
"""
# A charge without an invoice of ours is no business of the mirror.
_THEIRS = """
    SELECT l.object_type, l.external_id, l.status, l.amount_minor, l.currency,
           CASE WHEN l.object_type = 'charge' THEN i.external_id ELSE l.external_id END AS read_id,
           i.fetched_at AS invoice_at
    FROM accounts_ledgerrow l
    LEFT JOIN accounts_invoice i ON i.workspace_id = l.workspace_id AND l.object_type = 'charge'
         AND i.payment_ref = l.parent_ref AND l.parent_ref <> ''
    WHERE l.workspace_id = %(workspace)s AND l.sync_id = %(sync)s
      AND (l.object_type <> 'charge' OR i.id IS NOT NULL)
"""
_DIFFER = f"""
WITH ours AS ({_OURS}), theirs AS ({_THEIRS}), pairs AS (
    SELECT coalesce(o.object_type, t.object_type) AS object_type,
           coalesce(o.external_id, t.external_id) AS external_id,
           coalesce(o.read_id, t.read_id) AS read_id, coalesce(o.ours_at, t.invoice_at) AS ours_at,
           o.status AS ours_status, o.amount_minor AS ours_amount, t.status AS theirs_status,
           t.amount_minor AS theirs_amount, coalesce(t.currency, o.currency) AS currency,
           CASE WHEN o.external_id IS NULL AND t.object_type = 'charge' THEN 'charge_unbooked'
                WHEN o.external_id IS NULL THEN 'missing_here'
                WHEN t.external_id IS NULL THEN 'missing_there'
                WHEN o.status <> t.status THEN 'status'
                WHEN o.amount_minor <> t.amount_minor THEN 'amount' END AS kind
    FROM ours o FULL JOIN theirs t ON t.object_type = o.object_type AND t.external_id = o.external_id
)
INSERT INTO accounts_billingdifference AS d
       (workspace_id, public_id, kind, object_type, external_id, ours, theirs, found_at)
SELECT %(workspace)s, gen_random_uuid(), kind, object_type, external_id,
       jsonb_strip_nulls(jsonb_build_object('status', ours_status, 'amount_minor', ours_amount, 'read', read_id,
                                          'currency', currency)),
       jsonb_strip_nulls(jsonb_build_object('status', theirs_status, 'amount_minor', theirs_amount, 'currency', currency)),
       %(found)s
FROM pairs
WHERE kind IS NOT NULL AND object_type <> ALL (%(without)s) AND (ours_at IS NULL OR ours_at < %(began)s)
  AND NOT EXISTS (SELECT FROM accounts_billingmessage m WHERE m.workspace_id = %(workspace)s
      AND m.object_id IN (pairs.read_id, pairs.external_id) AND m.processed_at IS NULL AND m.parked_at IS NULL)
ON CONFLICT (workspace_id, kind, object_type, external_id) WHERE resolved_at IS NULL
DO UPDATE SET ours = excluded.ours, theirs = excluded.theirs
"""


def _compare(walk: Walk) -> None:
    values = _values(walk) | {"limit": walk.sync.started_at - FRESH, "found": timezone.now()}
    with connection.cursor() as cursor, planned_for_all(cursor):
        cursor.execute(_DIFFER, values)
        walk.count("differences", int(cursor.rowcount))
    walk.position |= {"stage": "mend", "after": 0}


def _mend(walk: Walk) -> Write | None:
    """Read what the next open differences name; None when each was looked at once in this walk."""
    with workspace_scope(walk.lease.workspace_id):
        batch = list(
            BillingDifference.objects.filter(resolved_at__isnull=True, pk__gt=walk.position["after"])
            .order_by("pk")
            .values_list("pk", "object_type", "external_id", "ours__read")[:AT_ONCE]
        )
    if not batch:
        return None
    reader = Reader(walk.gateway)
    for _, _, external_id, read_id in batch:
        try:
            reader.read(read_id or external_id)
        except BillingError as error:
            # What the provider does not have, or does not show to us, cannot be mended by reading.
            if not (error.is_absent or is_known_right(error)):
                raise

    def commit() -> None:
        reader.found.apply(now=walk.now)
        mended = [pk for pk, kind, external_id, _ in batch if _agrees(walk, kind, external_id)]
        BillingDifference.objects.filter(pk__in=mended).update(resolved_at=timezone.now())
        walk.count("mended", len(mended))
        walk.position |= {"after": batch[-1][0]}

    return commit


_AGREES = f"""
WITH ours AS ({_OURS}), mine AS (
    SELECT * FROM ours WHERE object_type = %(type)s AND external_id = %(id)s
), listed AS (
    SELECT FROM accounts_ledgerrow l WHERE l.workspace_id = %(workspace)s AND l.sync_id = %(sync)s
      AND l.object_type = %(type)s AND l.external_id = %(id)s
)
SELECT CASE WHEN EXISTS (SELECT FROM mine) THEN EXISTS (SELECT FROM mine WHERE ours_at > %(began)s)
            AND (%(type)s <> 'charge' OR EXISTS (SELECT FROM listed))
            ELSE NOT EXISTS (SELECT FROM listed) END
"""


def _agrees(walk: Walk, object_type: str, external_id: str) -> bool:
    """Whether our row shows what was read just now, and the provider has it; or neither side has it any more."""
    values = _values(walk) | {"limit": timezone.now(), "type": object_type, "id": external_id}
    with connection.cursor() as cursor:
        cursor.execute(_AGREES, values)
        return bool(cursor.fetchone()[0])


def _values(walk: Walk) -> dict[str, Any]:
    return {
        "workspace": current_workspace_id(),
        "sync": walk.sync.pk,
        "since": since(walk.sync),
        "began": datetime.fromisoformat(walk.position["began"]),
        "without": walk.position.get("without", []),
    }


def finish_ledger(walk: Walk) -> None:
    """The lists are not needed any more."""
    LedgerRow.objects.filter(sync=walk.sync).delete()
