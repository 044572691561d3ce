"""Statements that come again are planned once, inside of the block only."""

from __future__ import annotations

import pytest
from django.db import DataError, connection, transaction

from accounts.models import Workspace
from cs_platform.lib.prepared import prepared_statements

pytestmark = pytest.mark.django_db(transaction=True)


def prepared() -> int:
    """How many statements about workspaces this connection keeps."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%accounts_workspace%'"
        )
        return int(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def fresh() -> None:
    connection.close()


def ask(slug: str) -> bool:
    return Workspace.objects.filter(slug=slug).exists()


def test_what_comes_again_is_prepared_whatever_its_values(cast: object) -> None:
    with prepared_statements():
        found = [ask(slug) for slug in ("acme", "nobody", "acme")]
    assert found == [True, False, True]
    assert prepared() == 1


def test_outside_of_the_block_nothing_is(cast: object) -> None:
    with prepared_statements(), prepared_statements():
        ask("acme")
    for _ in range(3):
        assert ask("acme")
    assert prepared() == 0


def test_an_error_ends_the_block_too(cast: object) -> None:
    with pytest.raises(DataError), prepared_statements(), transaction.atomic():
        connection.cursor().execute("SELECT 1 / %s::int", [0])
    for _ in range(3):
        ask("acme")
    assert prepared() == 0
