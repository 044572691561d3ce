"""The words by which accounts are found, kept for those whose words have changed since the last time."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.shards import ALL, Shard
from cs_platform.lib.staging import planned_for_all

# As `health/queries/search.py` splits what is typed.
SEPARATORS = r"[^\w@.+-]+"
TOKEN_LENGTH = 200

# Order-independent: a sum over the people, so that no sorted aggregate of all contacts is needed.
_CHANGED = """
    SELECT a.id, coalesce(c.digest, 0) # hashtextextended(a.name || ' ' || a.domain || ' ' || a.external_id, 0) AS digest
    FROM accounts_account a LEFT JOIN (
        SELECT account_id, bit_xor(hashtextextended(id || ' ' || name || ' ' || email, 0)) AS digest
        FROM accounts_contact WHERE workspace_id = %(workspace)s AND {contact_share} GROUP BY account_id
    ) c ON c.account_id = a.id
    JOIN health_accountstate s ON s.workspace_id = a.workspace_id AND s.account_id = a.id
    WHERE a.workspace_id = %(workspace)s AND {account_share}
        AND s.search_digest IS DISTINCT FROM
            coalesce(c.digest, 0) # hashtextextended(a.name || ' ' || a.domain || ' ' || a.external_id, 0)
"""
_DELETE = """
    DELETE FROM health_searchtoken t USING stage_changed s
    WHERE t.workspace_id = %(workspace)s AND t.account_id = s.id
"""
_INSERT = """
    INSERT INTO health_searchtoken (workspace_id, token, account_id, contact_id)
    SELECT DISTINCT %(workspace)s::bigint, left(token, %(length)s), account_id, contact_id FROM (
        SELECT a.id AS account_id, NULL::bigint AS contact_id, concat_ws(' ', a.name, a.domain, a.external_id) AS words
        FROM accounts_account a JOIN stage_changed s ON s.id = a.id WHERE a.workspace_id = %(workspace)s
        UNION ALL
        SELECT c.account_id, c.id, concat_ws(' ', c.name, c.email)
        FROM accounts_contact c JOIN stage_changed s ON s.id = c.account_id WHERE c.workspace_id = %(workspace)s
    ) found
    CROSS JOIN LATERAL (
        SELECT word AS token FROM regexp_split_to_table(lower(words), %(separators)s) word
        UNION SELECT part FROM regexp_split_to_table(lower(words), '[^\\w]+') part
    ) split
    WHERE token <> ''
"""
_REMEMBER = """
    UPDATE health_accountstate s SET search_digest = c.digest FROM stage_changed c
    WHERE s.workspace_id = %(workspace)s AND s.account_id = c.id
"""


def rebuild_tokens(*, shard: Shard = ALL, account_ids: Sequence[int] | None = None) -> int:
    """Rewrite the words of changed accounts (with a state) of the shard or of `account_ids`; returns how many.

    A hyphenated or dotted word is found by its whole and by its parts.
    """
    params = {
        "workspace": current_workspace_id(),
        "ids": None if account_ids is None else list(account_ids),
        "separators": SEPARATORS,
        "length": TOKEN_LENGTH,
    }
    select = _CHANGED.format(
        account_share=_share("a.id", shard, account_ids),
        contact_share=_share("account_id", shard, account_ids),
    )
    with connection.cursor() as cursor, planned_for_all(cursor):
        cursor.execute(f"CREATE TEMP TABLE stage_changed ON COMMIT DROP AS {select}", params)
        changed = int(cursor.rowcount)
        if changed:
            for statement in (_DELETE, _INSERT, _REMEMBER):
                cursor.execute(statement, params)
        cursor.execute("DROP TABLE stage_changed")
    return changed


def _share(column: str, shard: Shard, account_ids: Sequence[int] | None) -> str:
    if account_ids is not None:
        return f"{column} = ANY(%(ids)s::bigint[])"
    return shard.sql(column)
