"""When a mirrored row last changed, written by the database whatever way it was written; emitted after every migrate.

A reader that asks "what changed since T" must not pass a row whose transaction is still open: the row has an
older time than others that are committed already. Therefore a transaction takes a shared advisory lock before
its first change, whose number is the second in which it did so, and readers stop at the oldest of these locks
(`settled_until`). The lock is taken before any row gets its time, and falls after the commit is visible, so no
order of the two can hide a row. A row that is written again as it was keeps its time, also when it was read anew
at the payment provider (`fetched_at`).
"""

from __future__ import annotations

from django.apps import apps
from django.db import connections, transaction

from accounts.models.base import MirroredModel

# Columns that say nothing of the customer's own system.
_OURS = {"updated_at", "fetched_at"}
# Locks of two numbers: the workspace (0 = none, such as a restore) and seconds since 2020.
_FUNCTIONS = """
CREATE OR REPLACE FUNCTION note_changing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE scope text := coalesce(nullif(current_setting('app.workspace', true), ''), '0');
BEGIN
    IF coalesce(current_setting('app.changing', true), '') <> scope THEN
        PERFORM pg_advisory_xact_lock_shared((scope::bigint % 2147483647)::int,
            floor(extract(epoch FROM clock_timestamp() - timestamptz '2020-01-01Z'))::int);
        PERFORM set_config('app.changing', scope, true);
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION stamp_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION settled_until(workspace bigint) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    until timestamptz := clock_timestamp();
    oldest timestamptz;
BEGIN
    SELECT timestamptz '2020-01-01Z' + make_interval(secs => min(objid::bigint)) INTO oldest FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid::bigint IN (0, workspace % 2147483647);
    RETURN least(until, oldest);
END $$;
"""
_TRIGGERS = """
CREATE OR REPLACE TRIGGER note_changing BEFORE INSERT OR UPDATE ON "{table}"
    FOR EACH STATEMENT EXECUTE FUNCTION note_changing();
CREATE OR REPLACE TRIGGER stamp_new BEFORE INSERT ON "{table}" FOR EACH ROW EXECUTE FUNCTION stamp_change();
CREATE OR REPLACE TRIGGER stamp_change BEFORE UPDATE ON "{table}" FOR EACH ROW
    WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION stamp_change();
"""


def mirrored_models() -> list[type[MirroredModel]]:
    """Every concrete model whose rows have a change time."""
    return [model for model in apps.get_models() if issubclass(model, MirroredModel)]


def keep_change_times(using: str = "owner") -> None:
    """Emit functions and triggers on the connection `using`; idempotent."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        present = set(connections[using].introspection.table_names(cursor))
        cursor.execute(_FUNCTIONS)
        for model in mirrored_models():
            if model._meta.db_table in present:
                names = [
                    f'"{field.column}"' for field in model._meta.concrete_fields if field.column not in _OURS
                ]
                old, new = (", ".join(f"{row}.{name}" for name in names) for row in ("OLD", "NEW"))
                cursor.execute(_TRIGGERS.format(table=model._meta.db_table, old=old, new=new))
