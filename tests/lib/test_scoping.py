"""No workspace data outside a scope, and never another workspace's inside one."""

import pytest
from django.db import connection, transaction
from django.db.utils import Error

from accounts.models import Account, Membership
from accounts.tenancy import workspace_models
from cs_platform.lib.scoping import NestedScope, NoScope, current_workspace_id, workspace_scope
from tests.builders import make_account


@pytest.mark.parametrize("model", workspace_models(), ids=lambda model: model._meta.label)
def test_every_workspace_model_raises_without_a_scope(model):
    with pytest.raises(NoScope):
        model.objects.count()
    with pytest.raises(NoScope):
        model._base_manager.count()


def test_a_scope_shows_its_own_rows_only(cast):
    with workspace_scope(cast.workspace.pk):
        make_account("Mine")
    with workspace_scope(cast.other.pk):
        make_account("Theirs")
        assert [a.name for a in Account.objects.all()] == ["Theirs"]


def test_scopes_of_two_workspaces_do_not_nest(cast):
    with workspace_scope(cast.workspace.pk), pytest.raises(NestedScope), workspace_scope(cast.other.pk):
        pass


def test_the_same_scope_nests_and_survives_an_inner_error(cast):
    with workspace_scope(cast.workspace.pk):
        with pytest.raises(ZeroDivisionError), workspace_scope(cast.workspace.pk):
            make_account("Rolled back")
            raise ZeroDivisionError
        assert current_workspace_id() == cast.workspace.pk
        assert Account.objects.count() == 0


def test_the_database_forgets_the_scope_at_its_end(cast):
    with workspace_scope(cast.workspace.pk):
        make_account("Mine")  # of an empty table Postgres may not ask whose rows they are
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_account")


@pytest.mark.django_db(transaction=True)
def test_the_end_of_the_transaction_is_the_end_of_the_scope(cast):
    with workspace_scope(cast.workspace.pk):
        make_account("Mine")
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_account")


@pytest.mark.django_db(transaction=True)
def test_what_runs_after_the_commit_stands_outside_of_the_scope(cast):
    seen = []

    def after() -> None:
        with pytest.raises(NoScope):
            Account.objects.count()
        with workspace_scope(cast.other.pk):
            seen.append(Account.objects.count())

    with workspace_scope(cast.workspace.pk):
        make_account("Mine")
        transaction.on_commit(after)
    assert seen == [0]


def test_related_managers_are_scoped_too(cast):
    with workspace_scope(cast.workspace.pk):
        account = make_account("Mine")
    with pytest.raises(NoScope):
        account.contacts.count()


def test_a_user_sees_own_memberships_everywhere_and_nobody_elses(cast):
    assert [m.workspace_id for m in cast.ada.memberships()] == [cast.workspace.pk]
    assert {m.user_id for m in cast.zoe.memberships()} == {cast.zoe.pk}
    with pytest.raises(NoScope):
        Membership.objects.count()
