"""The database's wall, with the application's filter switched off."""

import pytest
from django.db import connection, transaction
from django.db.utils import Error, IntegrityError

from accounts.tenancy import (
    APPEND_ONLY_TABLES,
    READ_ONLY_TABLES,
    UNSCOPED_TABLES,
    foreign_keys,
    workspace_models,
)
from cs_platform.lib.scoping import workspace_scope
from tests.builders import make_account, make_contact
from tests.stack import STACK

MODELS = workspace_models()
KEYS = [(model, field) for model in MODELS for field in foreign_keys(model)]


def owner_rows(sql, *parameters):
    with STACK.owner() as owner:
        return owner.execute(sql, parameters).fetchall()


def test_every_table_is_either_scoped_or_on_the_list(db):
    rows = owner_rows(
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, "
        "(SELECT count(*) FROM pg_policies p WHERE p.tablename = c.relname) FROM pg_class c "
        "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace"
    )
    walled = {name for name, forced, policies in rows if forced and policies == 1}
    assert walled == {model._meta.db_table for model in MODELS}
    assert {name for name, _, _ in rows} - walled <= UNSCOPED_TABLES | READ_ONLY_TABLES


def test_the_application_role_is_plain_and_may_not_touch_partitions_or_truncate(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("cs_app", False, False)
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relispartition AND has_table_privilege(oid, 'SELECT')"
        )
        assert cursor.fetchone() == (0,)
        with pytest.raises(Error), transaction.atomic():
            cursor.execute("TRUNCATE accounts_account CASCADE")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_policy_lets_nothing_pass_without_a_scope(db, model):
    table = model._meta.db_table
    [(reads, writes)] = owner_rows("SELECT qual, with_check FROM pg_policies WHERE tablename = %s", table)
    assert "current_setting('app.workspace'::text))::bigint" in writes
    assert table == "accounts_membership" or reads == writes


def test_sql_without_a_scope_raises(cast):
    with workspace_scope(cast.workspace.pk):
        make_account("Mine")
    with pytest.raises(Error, match=r"app\.workspace|invalid input syntax"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM accounts_account")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_membership")
        assert cursor.fetchone() == (0,)


def test_foreign_rows_are_invisible_to_plain_sql(cast):
    with workspace_scope(cast.workspace.pk):
        make_account("Mine")
    with workspace_scope(cast.other.pk), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_account")
        assert cursor.fetchone() == (0,)
        cursor.execute("UPDATE accounts_account SET name = 'stolen'")
        assert cursor.rowcount == 0
        with pytest.raises(Error), transaction.atomic():
            cursor.execute("UPDATE accounts_membership SET workspace_id = %s", [cast.workspace.pk])


def test_every_reference_between_workspace_tables_is_composite(db):
    rows = owner_rows(
        "SELECT conrelid::regclass::text, array_agg(attname::text ORDER BY attname) FROM pg_constraint"
        " JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY(conkey) WHERE contype = 'f' GROUP BY 1, conname"
    )
    found = {(table, tuple(columns)) for table, columns in rows}
    for model, field in KEYS:
        assert (model._meta.db_table, tuple(sorted(["workspace_id", field.column]))) in found, field
        assert (model._meta.db_table, (field.column,)) not in found, field


def test_a_row_cannot_reference_another_workspaces_row(cast):
    with workspace_scope(cast.workspace.pk):
        theirs = make_account("Mine")
    with pytest.raises(IntegrityError), transaction.atomic(), workspace_scope(cast.other.pk):
        make_contact(theirs)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_audit_log_cannot_be_rewritten(cast):
    for table in APPEND_ONLY_TABLES:
        for statement in (f"UPDATE {table} SET action = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(Error, match="permission denied"), transaction.atomic():
                with workspace_scope(cast.workspace.pk), connection.cursor() as cursor:
                    cursor.execute(statement)
