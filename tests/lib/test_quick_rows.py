"""Rows by fixed statements are the rows that the ORM knows, and never another workspace's."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import BillingCustomer
from cs_platform.lib.quick_rows import QuickRows
from cs_platform.lib.scoping import workspace_scope

pytestmark = pytest.mark.django_db(transaction=True)
CUSTOMERS = QuickRows(BillingCustomer)


def columns(row: BillingCustomer) -> dict[str, Any]:
    return {name: getattr(row, name) for name in CUSTOMERS.names}


def made(key: str, **values: Any) -> BillingCustomer:
    return BillingCustomer(external_id=key, **values)


@pytest.fixture
def theirs(cast: Any) -> BillingCustomer:
    """A row of another workspace."""
    with workspace_scope(cast.other.pk):
        row = made("cus_1", name="Theirs")
        CUSTOMERS.insert([row])
    return row


@pytest.fixture
def two(cast: Any, theirs: BillingCustomer) -> Any:
    """Two rows of this workspace, in its scope."""
    with workspace_scope(cast.workspace.pk):
        rows = [
            made("cus_1", name="O'Hara \\ 100 %", properties={"plan": {"seats": 10}}),
            made("cus_2", country="KR"),
        ]
        CUSTOMERS.insert(rows)
        yield rows


def test_what_is_written_is_what_the_orm_reads(two: Any) -> None:
    stored = list(BillingCustomer.objects.order_by("external_id"))
    assert [columns(row) for row in stored] == [columns(row) for row in two]
    assert stored[0].properties == {"plan": {"seats": 10}}


def test_what_is_read_is_what_the_orm_reads(two: Any) -> None:
    found = CUSTOMERS.first("external_id = %s", "cus_1")
    assert found is not None and columns(found) == columns(BillingCustomer.objects.get(external_id="cus_1"))
    assert not found._state.adding
    assert CUSTOMERS.first("external_id = %s", "nobody") is None
    assert CUSTOMERS.values("country, name", "country <> %s", "") == [("KR", "")]
    assert CUSTOMERS.exists("country = 'KR'") and not CUSTOMERS.exists("name = 'Theirs'")


def test_an_update_writes_the_named_columns_of_one_row_of_this_workspace(cast: Any, two: Any) -> None:
    two[0].name, two[0].properties, two[0].country = "New", {}, "DE"
    CUSTOMERS.update(two[0], ["name", "properties"])
    rows = BillingCustomer.objects.order_by("external_id").values_list("name", "properties", "country")
    assert list(rows) == [("New", {}, ""), ("", {}, "KR")]
    CUSTOMERS.update(two[0], [])


def test_a_row_of_another_workspace_is_out_of_reach(cast: Any, theirs: BillingCustomer) -> None:
    with workspace_scope(cast.workspace.pk):
        assert CUSTOMERS.first("id = %s", theirs.pk) is None
        theirs.name = "Stolen"
        CUSTOMERS.update(theirs, ["name"])
    with workspace_scope(cast.other.pk):
        assert BillingCustomer.objects.get().name == "Theirs"
