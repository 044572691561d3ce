"""The statements of the attribution. Parameters: `workspace`, `zone`, and the arrays named in each."""

from __future__ import annotations

# Only keys that something now answers to; whether the answer is unambiguous is decided afterwards.
# Locked in the order in which the intake writes them, so that the two cannot deadlock.
WAITING = """
SELECT w.id, w.user_key, w.group_key, w.has_account, w.first_at, w.last_at FROM health_unattributeduser w
WHERE w.workspace_id = %(workspace)s AND (w.user_key, w.group_key) > (%(user_key)s, %(group_key)s) AND (
    (NOT w.has_account AND w.group_key <> '' AND (
        EXISTS (SELECT 1 FROM accounts_account a
                WHERE a.workspace_id = %(workspace)s AND a.external_id = w.group_key)
        OR EXISTS (SELECT 1 FROM accounts_accountalias l
                   WHERE l.workspace_id = %(workspace)s AND l.key = w.group_key)
        OR EXISTS (SELECT 1 FROM accounts_subscription s
                   WHERE s.workspace_id = %(workspace)s AND s.external_id = w.group_key)))
    OR (w.user_key <> '' AND (w.has_account OR w.group_key = '') AND (
        EXISTS (SELECT 1 FROM accounts_contact c
                WHERE c.workspace_id = %(workspace)s AND c.external_id = w.user_key)
        OR EXISTS (SELECT 1 FROM accounts_contact c
                   WHERE c.workspace_id = %(workspace)s AND c.email IN (w.user_key, lower(w.user_key))
                       AND w.user_key LIKE '%%@%%')
        OR EXISTS (SELECT 1 FROM health_useralias u
                   WHERE u.workspace_id = %(workspace)s AND u.key = w.user_key))))
ORDER BY w.user_key, w.group_key LIMIT %(limit)s FOR UPDATE OF w
"""

# The same condition as the partial index of waiting events, so that it is used.
ATTRIBUTE = """
WITH found AS (
    UPDATE health_event e SET account_id = known.account_id, contact_id = known.contact_id
    FROM unnest(%(users)s::text[], %(groups)s::text[], %(accounts)s::bigint[], %(contacts)s::bigint[])
        AS known(user_key, group_key, account_id, contact_id)
    WHERE e.workspace_id = %(workspace)s AND e.user_key = known.user_key AND e.group_key = known.group_key
        AND (e.account_id IS NULL OR (e.contact_id IS NULL AND e.user_key <> ''))
        AND (e.account_id IS NULL OR e.account_id = known.account_id)
        AND e.occurred_at BETWEEN %(first)s AND %(last)s
    RETURNING e.account_id, (e.occurred_at AT TIME ZONE %(zone)s)::date AS day
), batch AS (
    INSERT INTO health_intakebatch (workspace_id, received_at, source, events, account_ids, days)
    SELECT %(workspace)s, clock_timestamp(), 'attribution', sum(events), array_agg(account_id), array_agg(day)
    FROM (SELECT account_id, day, count(*) AS events FROM found GROUP BY account_id, day) cells
    HAVING count(*) > 0
)
SELECT count(*) FROM found
"""

# A key whose person is still unknown goes on waiting for it. By id, not joined to the keys: while the statistics do
# not know the workspace, the join would compare every waiting row with every key.
STILL_WAITING = """
UPDATE health_unattributeduser SET has_account = true WHERE workspace_id = %(workspace)s AND id = ANY(%(waiting)s)
"""
RESOLVED = "DELETE FROM health_unattributeduser WHERE workspace_id = %(workspace)s AND id = ANY(%(resolved)s)"

DETACH = """
WITH found AS (
    UPDATE health_event e SET account_id = NULL, contact_id = NULL
    WHERE e.workspace_id = %(workspace)s AND e.account_id = ANY(%(accounts)s)
    RETURNING e.user_key, e.group_key, e.occurred_at
), waiting AS (
    INSERT INTO health_unattributeduser AS w
        (workspace_id, user_key, group_key, has_account, events, first_at, last_at)
    SELECT %(workspace)s, user_key, group_key, false, count(*), min(occurred_at), max(occurred_at)
    FROM found GROUP BY user_key, group_key ORDER BY user_key, group_key
    ON CONFLICT (workspace_id, user_key, group_key) DO UPDATE SET has_account = false,
        events = w.events + excluded.events, first_at = least(w.first_at, excluded.first_at),
        last_at = greatest(w.last_at, excluded.last_at)
)
SELECT count(*) FROM found
"""
