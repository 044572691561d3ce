"""The statements of the fold. Parameters: `workspace` and `zone` (the workspace's time zone).

A local day is `(occurred_at AT TIME ZONE zone)::date`, here and where cells are marked. Quantities
are summed in millionths as integers: sums of floats would depend on the order of the events.
"""

from __future__ import annotations

LOCK_NUMBER = 7003
LOCK = "SELECT pg_advisory_xact_lock(%s, %s)"

TEMPORARY_TABLES = """
CREATE TEMP TABLE IF NOT EXISTS fold_cells (account_id bigint, day date, existed boolean DEFAULT false) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS fold_usage (
    account_id bigint, day date, name text, person text, events bigint, micros numeric
) ON COMMIT DELETE ROWS;
TRUNCATE fold_cells, fold_usage
"""

TAKE = """
WITH queue AS (
    SELECT id, sum(cardinality(account_ids)) OVER (ORDER BY id) - cardinality(account_ids) AS before
    FROM (SELECT id, account_ids FROM health_intakebatch WHERE workspace_id = %(workspace)s
          ORDER BY id LIMIT %(limit)s) oldest
), taken AS (
    DELETE FROM health_intakebatch b USING queue WHERE b.workspace_id = %(workspace)s AND b.id = queue.id
        AND queue.before < %(most)s
    RETURNING b.account_ids, b.days
), cells AS (
    INSERT INTO fold_cells (account_id, day)
    SELECT DISTINCT c.account_id, c.day FROM taken, unnest(taken.account_ids, taken.days) AS c(account_id, day)
)
SELECT count(*) FROM taken
"""

# How much the cells are of what these days can hold: `cells`, `days` and the workspace's `accounts`.
SIZE = """
SELECT count(*), array_agg(DISTINCT day), (SELECT count(*) FROM accounts_account WHERE workspace_id = %(workspace)s)
FROM fold_cells
"""

# Cells of accounts that were deleted meanwhile are dropped: their rollups went with them.
DROP_DELETED = """
DELETE FROM fold_cells c WHERE NOT EXISTS (
    SELECT 1 FROM accounts_account a WHERE a.workspace_id = %(workspace)s AND a.id = c.account_id)
"""

# A cell that has never been folded (no row in AccountDay) has nothing to take away, which spares most of the work
# of a night.
EXISTED = """
UPDATE fold_cells c SET existed = true FROM ({found}) r WHERE c.account_id = r.account_id AND c.day = r.day
"""

# Two ways to the rows of `table` in the cells that are `which`. Many cells of few days: these days whole, by the index
# of days. Few cells: one look-up each; OFFSET 0 keeps the planner from turning it round into a scan per cell.
DENSE = """
SELECT r.* FROM {table} r JOIN fold_cells c USING (account_id, day)
WHERE {which} AND r.workspace_id = %(workspace)s AND r.day = ANY(%(days)s)
"""
SPARSE = """
SELECT r.* FROM fold_cells c CROSS JOIN LATERAL (
    SELECT * FROM {table} WHERE workspace_id = %(workspace)s AND account_id = c.account_id AND day = c.day OFFSET 0
) r WHERE {which}
"""

# A range of the key per day, two hours wider than the day for clock changes; the date decides. OFFSET 0 keeps
# the planner from turning it into a join over all partitions.
# Raw user keys are marked, so that none can be mistaken for the id of a contact.
READ_USAGE = """
INSERT INTO fold_usage
SELECT e.account_id, d.day, e.name, e.person, count(*), sum(e.micros)
FROM (SELECT day, day::timestamp AT TIME ZONE %(zone)s - interval '2 hours' AS starts,
             (day + 1)::timestamp AT TIME ZONE %(zone)s + interval '2 hours' AS ends
      FROM (SELECT DISTINCT day FROM fold_cells) AS touched) AS d
CROSS JOIN LATERAL (
    SELECT account_id, name, coalesce(contact_id::text, '?' || nullif(user_key, '')) AS person,
           (quantity * 1e6)::bigint AS micros
    FROM health_event
    WHERE workspace_id = %(workspace)s AND occurred_at >= d.starts AND occurred_at < d.ends
        AND (occurred_at AT TIME ZONE %(zone)s)::date = d.day
    OFFSET 0
) AS e
JOIN fold_cells c ON c.day = d.day AND c.account_id = e.account_id
GROUP BY e.account_id, d.day, e.name, e.person
"""

ROLLUPS_GONE = """
SELECT r.id FROM ({found}) r WHERE NOT EXISTS (
    SELECT 1 FROM fold_usage u WHERE u.account_id = r.account_id AND u.day = r.day AND u.name = r.name)
"""
_ROLLUPS = """
INSERT INTO health_usagerollup AS r (workspace_id, account_id, day, name, events, quantity)
SELECT %(workspace)s, account_id, day, name, sum(events), sum(micros)::float8 / 1e6
FROM fold_usage GROUP BY account_id, day, name
ON CONFLICT (workspace_id, account_id, day, name) DO UPDATE
SET events = excluded.events, quantity = excluded.quantity
WHERE (r.events, r.quantity) IS DISTINCT FROM (excluded.events, excluded.quantity)
"""

ACCOUNT_DAYS_GONE = """
SELECT r.id FROM ({found}) r WHERE NOT EXISTS (
    SELECT 1 FROM fold_usage u WHERE u.account_id = r.account_id AND u.day = r.day)
"""
_ACCOUNT_DAYS = """
INSERT INTO health_accountday AS r
    (workspace_id, account_id, day, events, quantity, active_contacts, distinct_names)
SELECT %(workspace)s, account_id, day, sum(events), sum(micros)::float8 / 1e6,
    count(DISTINCT person), count(DISTINCT name)
FROM fold_usage GROUP BY account_id, day
ON CONFLICT (workspace_id, account_id, day) DO UPDATE SET events = excluded.events,
    quantity = excluded.quantity, active_contacts = excluded.active_contacts, distinct_names = excluded.distinct_names
WHERE (r.events, r.quantity, r.active_contacts, r.distinct_names)
    IS DISTINCT FROM (excluded.events, excluded.quantity, excluded.active_contacts, excluded.distinct_names)
"""

# Bits of touched days are replaced, the others of the block stay: first away, then in. Every row that loses bits is
# there already; the conflict finds it by its key, where a join might read the whole table.
_CONTACT_DAYS = (
    """
WITH masks AS (
    SELECT account_id, (day - date '1970-01-01') / 32 AS block,
        bit_or(1::bigint << (day - date '1970-01-01') %% 32) AS mask
    FROM fold_cells WHERE existed GROUP BY 1, 2
), fresh AS (
    SELECT account_id, person, (day - date '1970-01-01') / 32 AS block,
        bit_or(1::bigint << (day - date '1970-01-01') %% 32) AS bits
    FROM fold_usage WHERE person IS NOT NULL GROUP BY 1, 2, 3
), gone AS (
    SELECT k.account_id, k.person_key, k.block, k.bits & m.mask & ~coalesce(f.bits, 0) AS bits
    FROM masks m CROSS JOIN LATERAL (
        SELECT * FROM health_contactdays
        WHERE workspace_id = %(workspace)s AND account_id = m.account_id AND block = m.block OFFSET 0
    ) k
    LEFT JOIN fresh f ON f.account_id = k.account_id AND f.block = k.block AND f.person = k.person_key
)
INSERT INTO health_contactdays AS r (workspace_id, account_id, person_key, block, bits)
SELECT %(workspace)s, account_id, person_key, block, bits FROM gone WHERE bits <> 0
ON CONFLICT (workspace_id, account_id, block, person_key) DO UPDATE SET bits = r.bits & ~excluded.bits
""",
    """
INSERT INTO health_contactdays AS r (workspace_id, account_id, person_key, block, bits)
SELECT %(workspace)s, account_id, person, (day - date '1970-01-01') / 32,
    bit_or(1::bigint << (day - date '1970-01-01') %% 32)
FROM fold_usage WHERE person IS NOT NULL GROUP BY 1, 2, 3, 4
ON CONFLICT (workspace_id, account_id, block, person_key) DO UPDATE SET bits = r.bits | excluded.bits
WHERE r.bits | excluded.bits <> r.bits
""",
)
CONTACT_DAYS_GONE = """
SELECT r.id FROM (
    SELECT DISTINCT account_id, (day - date '1970-01-01') / 32 AS block FROM fold_cells WHERE existed
) c CROSS JOIN LATERAL (
    SELECT id, bits FROM health_contactdays
    WHERE workspace_id = %(workspace)s AND account_id = c.account_id AND block = c.block OFFSET 0
) r WHERE r.bits = 0
"""

WRITE = (_ROLLUPS, _ACCOUNT_DAYS, *_CONTACT_DAYS)
DELETE = "DELETE FROM {table} WHERE workspace_id = %(workspace)s AND id = ANY(%(ids)s)"

MARK_EVERYTHING = """
INSERT INTO health_intakebatch (workspace_id, received_at, source, events, account_ids, days)
SELECT %(workspace)s, now(), 'refold', 0, array_agg(account_id), array_agg(day) FROM (
    SELECT account_id, (occurred_at AT TIME ZONE %(zone)s)::date AS day FROM health_event
    WHERE workspace_id = %(workspace)s AND account_id IS NOT NULL
    UNION SELECT account_id, day FROM health_accountday WHERE workspace_id = %(workspace)s
) cells GROUP BY day
"""
