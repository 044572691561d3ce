"""The statements that store and remove events: a temporary stage, and one statement from there."""

from __future__ import annotations

_COLUMNS = {
    "occurred_at": "timestamptz",
    "message_hash": "bytea",
    "quantity": "float8",
    "account_id": "int8",
    "contact_id": "int8",
    "name": "text",
    "user_key": "text",
    "group_key": "text",
    "properties": "jsonb",
}
NAMES = ", ".join(_COLUMNS)
# The stage reads empty texts as NULL.
_VALUES = NAMES.replace("user_key", "coalesce(user_key, '')").replace("group_key", "coalesce(group_key, '')")
STAGE = (
    "CREATE TEMP TABLE IF NOT EXISTS event_stage ("
    + ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
    + ") ON COMMIT DELETE ROWS"
)

# Sorted by key: neighbours in the index, and concurrent senders of the same events cannot deadlock.
STORE = f"""
WITH stored AS (
    INSERT INTO health_event (workspace_id, received_at, source_import_id, {NAMES})
    SELECT %(workspace)s, %(received_at)s, %(import)s, {_VALUES} FROM event_stage ORDER BY occurred_at, message_hash
    ON CONFLICT (workspace_id, occurred_at, message_hash) DO NOTHING
    RETURNING occurred_at, user_key, group_key, account_id, contact_id
), cells AS (
    SELECT DISTINCT account_id, (occurred_at AT TIME ZONE %(zone)s)::date AS day
    FROM stored WHERE account_id IS NOT NULL
), batch AS (
    INSERT INTO health_intakebatch (workspace_id, received_at, source, events, account_ids, days)
    SELECT %(workspace)s, %(received_at)s, %(source)s, (SELECT count(*) FROM stored), array_agg(account_id), array_agg(day)
    FROM cells HAVING count(*) > 0
), waiting AS (
    INSERT INTO health_unattributeduser AS w
        (workspace_id, user_key, group_key, has_account, events, first_at, last_at)
    SELECT %(workspace)s, user_key, group_key, bool_and(account_id IS NOT NULL), count(*), min(occurred_at), max(occurred_at)
    FROM stored WHERE account_id IS NULL OR (contact_id IS NULL AND user_key <> '')
    GROUP BY user_key, group_key ORDER BY user_key, group_key
    ON CONFLICT (workspace_id, user_key, group_key) DO UPDATE
        SET has_account = w.has_account AND excluded.has_account,
        events = w.events + excluded.events, first_at = least(w.first_at, excluded.first_at),
        last_at = greatest(w.last_at, excluded.last_at)
)
SELECT count(*) FROM stored
"""

REMOVE = """
WITH gone AS (
    DELETE FROM health_event WHERE workspace_id = %(workspace)s AND source_import_id = %(import)s
    RETURNING account_id, contact_id, user_key, group_key, received_at,
        (occurred_at AT TIME ZONE %(zone)s)::date AS day
), batch AS (
    INSERT INTO health_intakebatch (workspace_id, received_at, source, events, account_ids, days)
    SELECT %(workspace)s, max(received_at), 'undo', sum(events), array_agg(account_id), array_agg(day)
    FROM (SELECT account_id, day, count(*) AS events, max(received_at) AS received_at FROM gone
          WHERE account_id IS NOT NULL GROUP BY account_id, day) cells HAVING count(*) > 0
), waiting AS (
    UPDATE health_unattributeduser w SET events = w.events - less.events
    FROM (SELECT user_key, group_key, count(*) AS events FROM gone
          WHERE account_id IS NULL OR (contact_id IS NULL AND user_key <> '') GROUP BY 1, 2) less
    WHERE w.workspace_id = %(workspace)s AND w.user_key = less.user_key AND w.group_key = less.group_key
)
SELECT count(*) FROM gone
"""
FORGET = "DELETE FROM health_unattributeduser WHERE workspace_id = %(workspace)s AND events <= 0"
