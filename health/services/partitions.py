"""Monthly partitions of the event table, made ahead of time by the owner's connection.

The application role has no rights on single partitions: they would bypass the parent's policy.
"""

from __future__ import annotations

from datetime import date

from django.db import connections, transaction

MONTHS_BACK = 36
MONTHS_AHEAD = 3

_EXISTING = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'health_event'::regclass
"""


def ensure_partitions(*, today: date, using: str = "owner") -> list[str]:
    """Create the missing months from 36 back to 3 ahead of `today`; returns their table names.

    Each month is its own transaction with a short lock timeout, so that a busy table delays the
    upkeep until the next run instead of the upkeep delaying the intake.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(_EXISTING)
        existing = {name for (name,) in cursor.fetchall()}
    first = today.year * 12 + today.month - 1
    wanted = [_month(number) for number in range(first - MONTHS_BACK, first + MONTHS_AHEAD + 1)]
    missing = [(start, end) for start, end in wanted if _table(start) not in existing]
    for start, end in missing:
        _create(start, end, using)
    return [_table(start) for start, _ in missing]


def _create(start: date, end: date, using: str) -> None:
    """Make one month; rows that came in before it existed move out of the default partition."""
    table = _table(start)
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        cursor.execute(f'CREATE TABLE "{table}" (LIKE health_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)')
        cursor.execute("LOCK TABLE health_event_default IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            "WITH moved AS (DELETE FROM health_event_default WHERE occurred_at >= %s AND occurred_at < %s"
            f' RETURNING *) INSERT INTO "{table}" SELECT * FROM moved',
            [f"{start} 00:00:00+00", f"{end} 00:00:00+00"],
        )
        cursor.execute(
            f'ALTER TABLE health_event ATTACH PARTITION "{table}"'
            f" FOR VALUES FROM ('{start} 00:00:00+00') TO ('{end} 00:00:00+00')"
        )


def _month(number: int) -> tuple[date, date]:
    """Month `number` (counted from year 0) as [first day, first day of the next)."""
    return date(number // 12, number % 12 + 1, 1), date((number + 1) // 12, (number + 1) % 12 + 1, 1)


def _table(start: date) -> str:
    return f"health_event_{start:%Y_%m}"
