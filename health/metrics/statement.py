"""The one statement that computes every metric of every account at one moment."""

from __future__ import annotations

from collections.abc import Mapping

from health.metrics.reading import SnapshotReading
from health.metrics.usage import SIGN_IN_NAMES
from health.registry import Metric, metric_sources


def snapshot_select(
    reading: SnapshotReading, metrics: Mapping[str, Metric], positions: Mapping[str, int]
) -> str:
    """A SELECT of (account_id, values): accounts that ever had a subscription or usage before the moment.

    `values[position]` per metric as float8; NULL at places whose metric no longer exists. Every source is
    read once and grouped by account before the join, so no row of one multiplies rows of another.
    """
    names = {name for metric in metrics.values() for name in metric.sources} | {"days", "billing"}
    joins = "".join(
        f" LEFT JOIN ({source.select(reading)}) {source.name} USING (account_id)\n"
        for source in metric_sources
        if source.name in names
    )
    return f"""
        SELECT base.account_id, ARRAY[{_values(metrics, positions)}]::float8[] AS values
        FROM ({_base(reading)}) base
        {joins} LEFT JOIN LATERAL ({_older(reading)}) older ON true
        CROSS JOIN ({_facts(reading)}) facts
        WHERE base.first_started IS NOT NULL OR days.last_day IS NOT NULL OR older.day IS NOT NULL"""


def _values(metrics: Mapping[str, Metric], positions: Mapping[str, int]) -> str:
    places = {position: name for name, position in positions.items()}
    expressions = []
    for position in range(max(places) + 1):
        metric = metrics.get(places.get(position, ""))
        expressions.append(f"({metric.sql})::float8" if metric else "NULL::float8")
    return ",\n".join(expressions)


def _base(reading: SnapshotReading) -> str:
    began = reading.local_day("least(a.created_at, s.first_started)")
    return f"""
        SELECT a.id AS account_id, s.first_started, greatest({reading.day()} - {began}, 0) AS age_days
        FROM accounts_account a LEFT JOIN (
            SELECT account_id, min(started_at) AS first_started FROM accounts_subscription
            WHERE {reading.mine()} AND started_at < {reading.instant()} GROUP BY account_id
        ) s ON s.account_id = a.id
        WHERE {reading.mine("a", "id")}"""


def _older(reading: SnapshotReading) -> str:
    """The last active day of an account that was silent through the whole window: one index probe each.

    Pairs, so that only the index by account serves: while the statistics do not know a workspace, the one by day
    is taken otherwise, and read from its end to the account's last day.
    """
    return f"""
        SELECT d.day FROM health_accountday d
        WHERE days.last_day IS NULL AND d.workspace_id = {int(reading.workspace_id)}
            AND (d.account_id, d.day) >= (base.account_id, '-infinity')
            AND (d.account_id, d.day) < (base.account_id, {reading.day()}) AND d.events > 0
        ORDER BY d.account_id DESC, d.day DESC LIMIT 1"""


def _facts(reading: SnapshotReading) -> str:
    """What the workspace has at all by then: where it sends no tickets, nobody has "0 tickets".

    The name of a sign-in is no index condition on purpose: probing every account for every name costs more
    than reading on until the first one.
    """
    of = f"WHERE workspace_id = {int(reading.workspace_id)} AND"
    before = reading.instant()
    return f"""
        SELECT known.*, {reading.day()} - known.usage_began AS usage_age_days
        FROM (SELECT {reading.day()} AS as_of, {before} AS moment,
            (SELECT min(day) FROM health_accountday {of} day < {reading.day()}) AS usage_began,
            EXISTS (
                SELECT 1 FROM health_usagerollup {of} day >= {reading.day(28)} AND day < {reading.day()}
                    AND events > 0 AND name || '' = ANY({reading.bind(list(SIGN_IN_NAMES))}::text[])
            ) AS has_sign_ins,
            EXISTS (
                SELECT 1 FROM health_accountday {of} day >= {reading.day(56)} AND day < {reading.day()}
                    AND active_contacts > 0
            ) AS has_people,
            EXISTS (SELECT 1 FROM accounts_ticket {of} opened_at < {before}) AS has_tickets,
            EXISTS (SELECT 1 FROM accounts_contact {of} created_at < {before}) AS has_contacts,
            EXISTS (SELECT 1 FROM accounts_invoice {of} due_at < {before})
                OR EXISTS (SELECT 1 FROM accounts_paymentattempt {of} attempted_at < {before}) AS has_payments,
            (SELECT count(*) FROM health_keyfeature WHERE workspace_id = {int(reading.workspace_id)}) AS key_features
        ) known"""
