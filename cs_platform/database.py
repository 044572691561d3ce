"""Which role does what: migrations run as the owner, everything else as a role that row-level security binds."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper

OWNER = "owner"

_POWERFUL = """
    SELECT rolname FROM pg_roles
    WHERE rolname IN (current_user, session_user) AND (rolsuper OR rolbypassrls)
"""
_checked: set[str] = set()


class OwnerMigrates:
    """The application role cannot change the schema, so only the `owner` alias is ever migrated."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == OWNER


def refuse_powerful_role(sender: object, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Stop before the first query of a process that could see every workspace's rows.

    Superusers and BYPASSRLS roles ignore row-level security even where it is forced. Checked once per alias and
    process, on the raw connection, so that it is not part of anybody's query count.
    """
    if connection.alias in _checked:
        return
    row = connection.connection.execute(_POWERFUL).fetchone()
    if row is not None:
        connection.close()
        raise ImproperlyConfigured(
            f"The database role {row[0]!r} is a superuser or has BYPASSRLS, so one workspace could read another's "
            "data. Connect as a plain role (docs/operations.md shows how to create it)."
        )
    _checked.add(connection.alias)
