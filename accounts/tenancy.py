"""The database's own wall between workspaces, emitted after every migrate.

For each table of a WorkspaceModel: row-level security forced by one policy, grants for the
application role, UNIQUE (workspace_id, id) where another workspace table points to it, and
composite foreign keys (workspace_id, x_id) in place of Django's single-column ones, because
foreign-key checks bypass policies. Idempotent; a new model needs no line of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, models, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models.base import WorkspaceModel

# Tables without a workspace, by name: logins, sessions, what a scope names, content-free jobs.
UNSCOPED_TABLES = frozenset(
    {
        "accounts_workspace",
        "accounts_user",
        "accounts_user_groups",
        "accounts_user_user_permissions",
        "accounts_job",
        "accounts_setupcode",
        "account_emailaddress",
        "account_emailconfirmation",
        "auth_group",
        "auth_group_permissions",
        "auth_permission",
        "django_content_type",
        "django_cache",
        "django_session",
        "mfa_authenticator",
        "socialaccount_socialaccount",
        "socialaccount_socialapp",
        "socialaccount_socialapp_sites",
        "socialaccount_socialtoken",
        "django_site",
    }
)
READ_ONLY_TABLES = frozenset({"django_migrations"})
APPEND_ONLY_TABLES = frozenset({"accounts_auditentry"})

_IN_WORKSPACE = "workspace_id = (SELECT current_setting('app.workspace')::bigint)"
# A user may list their own memberships before a workspace is chosen; hence no raise here.
_MEMBERSHIP = (
    "workspace_id = (SELECT nullif(current_setting('app.workspace', true), '')::bigint)"
    " OR user_id = (SELECT nullif(current_setting('app.user', true), '')::bigint)"
)
_READ_POLICY = {"accounts_membership": _MEMBERSHIP}


def workspace_models() -> list[type[WorkspaceModel]]:
    """Every concrete model of a workspace table, in all installed apps."""
    return [m for m in apps.get_models() if issubclass(m, WorkspaceModel) and not m._meta.proxy]


def secure_database(using: str = "owner") -> None:
    """Emit policies, grants, unique keys and composite foreign keys on the connection `using`."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        present = set(connections[using].introspection.table_names(cursor)) | _partitioned(cursor)
        tables = [m for m in workspace_models() if m._meta.db_table in present]
        for model in tables:
            _replace_foreign_keys(cursor, model, present)
        for model in tables:
            _force_row_security(cursor, model._meta.db_table)
        _grant(cursor, present, {m._meta.db_table for m in tables})


def _partitioned(cursor: CursorWrapper) -> set[str]:
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'p' AND relnamespace = 'public'::regnamespace"
    )
    return {row[0] for row in cursor.fetchall()}


def _force_row_security(cursor: CursorWrapper, table: str) -> None:
    cursor.execute(
        "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", [f'"{table}"']
    )
    if not cursor.fetchone()[0]:  # no needless lock when nothing is new
        cursor.execute(
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY; ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY'
        )
    cursor.execute(
        "SELECT 1 FROM pg_policies WHERE tablename = %s AND policyname = 'workspace_isolation'", [table]
    )
    if cursor.fetchone():
        return
    using = _READ_POLICY.get(table, _IN_WORKSPACE)
    cursor.execute(
        f'CREATE POLICY workspace_isolation ON "{table}" USING ({using}) WITH CHECK ({_IN_WORKSPACE})'
    )


def foreign_keys(model: type[WorkspaceModel]) -> Iterator[models.ForeignKey[Any, Any]]:
    """Foreign keys of `model` to other workspace tables that the database must check."""
    for field in model._meta.local_concrete_fields:
        if not isinstance(field, models.ForeignKey) or not vars(field)["db_constraint"]:
            continue
        if field.related_model is not None and issubclass(field.related_model, WorkspaceModel):
            yield field


def _replace_foreign_keys(cursor: CursorWrapper, model: type[WorkspaceModel], present: set[str]) -> None:
    table = model._meta.db_table
    existing = _foreign_key_columns(cursor, table)
    for field in foreign_keys(model):
        target = field.related_model._meta.db_table
        column = field.column
        if target not in present or ("workspace_id", column) in existing:
            continue
        for side in {table, target}:
            # Adding the key reads both tables, which no scope would allow; forced again in this transaction.
            cursor.execute(f'ALTER TABLE "{side}" NO FORCE ROW LEVEL SECURITY')
        _ensure_unique(cursor, target)
        if (column,) in existing:
            cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{existing[(column,)]}"')
        cursor.execute(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{_name(table, column, "wfk")}"'
            f' FOREIGN KEY (workspace_id, "{column}") REFERENCES "{target}" (workspace_id, id)'
            " DEFERRABLE INITIALLY DEFERRED"
        )
    _drop_implied_key(cursor, model, existing)


def _drop_implied_key(
    cursor: CursorWrapper, model: type[WorkspaceModel], existing: dict[tuple[str, ...], str]
) -> None:
    """A composite key that is always filled implies that the workspace exists; checking it again would cost
    the tables that the night writes one look-up per row."""
    if ("workspace_id",) in existing and any(not field.null for field in foreign_keys(model)):
        cursor.execute(
            f'ALTER TABLE "{model._meta.db_table}" DROP CONSTRAINT "{existing[("workspace_id",)]}"'
        )


def _foreign_key_columns(cursor: CursorWrapper, table: str) -> dict[tuple[str, ...], str]:
    cursor.execute(
        "SELECT c.conname, array_agg(a.attname ORDER BY k.place) FROM pg_constraint c"
        " CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k(attnum, place)"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum"
        " WHERE c.contype = 'f' AND c.conrelid = %s::regclass GROUP BY c.conname",
        [f'"{table}"'],
    )
    return {tuple(columns): name for name, columns in cursor.fetchall()}


def _ensure_unique(cursor: CursorWrapper, table: str) -> None:
    name = _name(table, "id", "wkey")
    cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [name])
    if not cursor.fetchone():
        cursor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" UNIQUE (workspace_id, id)')


def _grant(cursor: CursorWrapper, present: set[str], scoped: set[str]) -> None:
    role = settings.DATABASE_APP_ROLE
    for table in sorted(present & (scoped | UNSCOPED_TABLES)):
        rights = "SELECT, INSERT" if table in APPEND_ONLY_TABLES else "SELECT, INSERT, UPDATE, DELETE"
        cursor.execute(f'GRANT {rights} ON "{table}" TO "{role}"')
    for table in sorted(present & READ_ONLY_TABLES):
        cursor.execute(f'GRANT SELECT ON "{table}" TO "{role}"')
    cursor.execute(
        f'GRANT USAGE ON SCHEMA public TO "{role}"; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "{role}"'
    )


def _name(table: str, column: str, suffix: str) -> str:
    digest = hashlib.sha256(f"{table}.{column}".encode()).hexdigest()[:8]
    return f"{table[:30]}_{column[:14]}_{digest}_{suffix}"
