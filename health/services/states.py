"""States: the latest of everything about an account in typed columns, which lists filter and sort by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import structlog
from django.db import connection

from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.shards import ALL, Shard
from cs_platform.lib.staging import planned_for, planned_for_all, write_staged
from health.metrics.catalogue import known_positions
from health.metrics.reading import snapshot_reading
from health.metrics.terms import terms
from health.models import ModelVersion
from health.services.search_tokens import rebuild_tokens
from health.services.state_select import STATE_COLUMNS, spark_days, state_select

log = structlog.get_logger("health.states")


def refresh_states(*, as_of: date, shard: Shard = ALL) -> int:
    """Write the state of every account of the shard from the rows of `as_of`; returns the accounts written.

    ARR of a subscription whose currency has no known exchange rate counts as 0; how many there are is logged.
    """
    reading = snapshot_reading(as_of=as_of, shard=shard)
    version = ModelVersion.objects.filter(live_from__isnull=False, live_until__isnull=True).first()
    select = state_select(
        reading,
        version_id=version.pk if version else None,
        last_seen_position=known_positions().get("days_since_last_seen"),
        weeks=spark_days(as_of),
    )
    written = write_staged(select, reading.params, _insert)
    tokens = rebuild_tokens(shard=shard)
    log.info("health.states.refreshed", accounts=written, accounts_with_new_words=tokens)
    if shard.index == 0 and (unpriced := unpriced_subscriptions(as_of=as_of)):
        log.warning("health.states.unpriced", subscriptions_by_currency=unpriced)
    return written


def unpriced_subscriptions(*, as_of: date) -> dict[str, int]:
    """Running subscriptions by currency that no exchange rate into the report currency was known for."""
    reading = snapshot_reading(as_of=as_of)
    with connection.cursor() as cursor, planned_for_all(cursor):
        cursor.execute(
            "SELECT s.currency, count(*) FROM accounts_subscription s"
            f" JOIN ({terms(reading)}) t ON t.id = s.id WHERE t.is_unpriced GROUP BY s.currency",
            reading.params,
        )
        return dict(cursor.fetchall())


def refresh_accounts(account_ids: Sequence[int]) -> int:
    """Copy what the account itself says (name, CSM, industry, country) into its state, at once after a change."""
    with connection.cursor() as cursor, planned_for(cursor, len(account_ids)):
        cursor.execute(
            "UPDATE health_accountstate s SET name = a.name, csm_id = a.csm_id, industry = a.industry,"
            " country = a.country FROM accounts_account a"
            " WHERE s.workspace_id = %(workspace)s AND a.workspace_id = %(workspace)s AND a.id = s.account_id"
            " AND a.id = ANY(%(ids)s) AND s.account_id = ANY(%(ids)s)",
            {"workspace": current_workspace_id(), "ids": list(account_ids)},
        )
        changed = int(cursor.rowcount)
    rebuild_tokens(account_ids=account_ids)
    return changed


def _insert(stage: str) -> str:
    names = ", ".join(STATE_COLUMNS)
    sets = ", ".join(f"{name} = excluded.{name}" for name in STATE_COLUMNS if name != "account_id")
    return (
        f"INSERT INTO health_accountstate (workspace_id, {names})"
        f" SELECT {current_workspace_id()}, {names} FROM {stage} ORDER BY account_id"
        f" ON CONFLICT (workspace_id, account_id) DO UPDATE SET {sets}"
    )
