"""What a backup holds: every table but those that a migration fills or that are worth nothing tomorrow."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from accounts.tenancy import UNSCOPED_TABLES, workspace_models

# Filled by migrations, or short-lived: sessions end with a restore, so that a revoked one does not come back.
LEFT_OUT = frozenset(
    {
        "auth_permission",
        "django_cache",
        "django_content_type",
        "django_migrations",
        "django_session",
        "django_site",
    }
)


@dataclass(frozen=True)
class Table:
    """`is_scoped`: read workspace by workspace, because row-level security binds the owner too."""

    name: str
    is_scoped: bool
    columns: tuple[str, ...]


def tables(cursor: CursorWrapper) -> list[Table]:
    """The tables of the connected database, in the order of their names."""
    scoped = {model._meta.db_table for model in workspace_models()}
    cursor.execute(
        "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) FROM information_schema.columns"
        " WHERE table_schema = 'public' AND is_generated = 'NEVER' GROUP BY table_name ORDER BY table_name"
    )
    return [
        Table(name, name in scoped, tuple(columns))
        for name, columns in cursor.fetchall()
        if name in scoped or name in UNSCOPED_TABLES - LEFT_OUT
    ]
