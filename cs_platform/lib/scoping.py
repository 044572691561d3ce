"""The workspace scope: no workspace row is read or written outside of one.

Three walls stand on it: managers that raise (this module), row-level security that
reads the same setting (`accounts/tenancy.py`), and generated tests over every URL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connections, models, transaction

_workspace: ContextVar[int | None] = ContextVar("workspace", default=None)
_user: ContextVar[int | None] = ContextVar("scoped_user", default=None)


class NoScope(RuntimeError):
    """A workspace table was used outside `workspace_scope`."""


class NestedScope(RuntimeError):
    """A scope was opened inside the scope of another workspace."""


def current_workspace_id() -> int:
    """The workspace of the running scope. Raises NoScope outside of one."""
    workspace_id = _workspace.get()
    if workspace_id is None:
        raise NoScope("open workspace_scope(workspace_id) before using workspace data")
    return workspace_id


def scoped_default() -> Any:
    """Fills `workspace` of new rows. None outside a scope, which the NOT NULL column then refuses."""
    return _workspace.get()


@contextmanager
def workspace_scope(workspace_id: int, *, using: str = "default") -> Iterator[None]:
    """Run the block in a transaction that sees exactly one workspace.

    Sets the context variable and the database setting `app.workspace`, restores both,
    joins a scope of the same workspace, refuses to nest in another one.
    """
    outer = _workspace.get()
    if outer is not None and outer != workspace_id:
        raise NestedScope(f"workspace {workspace_id} inside the scope of workspace {outer}")
    with _transaction_with("app.workspace", workspace_id, outer, _workspace, using):
        yield


@contextmanager
def user_scope(user_id: int, *, using: str = "default") -> Iterator[None]:
    """Let one user see their own memberships in every workspace (and nothing else)."""
    with _transaction_with("app.user", user_id, _user.get(), _user, using):
        yield


@contextmanager
def _transaction_with(
    name: str, value: int, outer: int | None, variable: ContextVar[int | None], using: str
) -> Iterator[None]:
    connection = connections[using]
    is_outermost = not connection.in_atomic_block
    # The variable ends before the commit: what runs after it stands outside of the scope, as the database does.
    with transaction.atomic(using=using):
        token = variable.set(value)
        try:
            _set_config(connection, name, str(value))
            yield
            # Only on success: a roll-back (also to a savepoint) restores the setting by itself, and so does
            # the end of the transaction; a released savepoint does not.
            if not is_outermost:
                _set_config(connection, name, "" if outer is None else str(outer))
        finally:
            variable.reset(token)


def _set_config(connection: Any, name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


class ScopedQuerySet(models.QuerySet[Any]):
    """Base of every queryset over workspace tables; subclasses add scopes by noun."""


class ScopedManager(models.Manager.from_queryset(ScopedQuerySet)):  # type: ignore[misc]
    """A manager that raises outside a scope and filters by it inside."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(workspace_id=current_workspace_id())
