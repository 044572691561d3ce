"""Columns read as packed arrays are the rows that were asked for."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from cs_platform.lib.arrays import read_arrays

pytestmark = pytest.mark.django_db
ROWS = "SELECT * FROM (VALUES (5::bigint, 2, 0.5::float8, timestamptz '2026-11-22 08:00:00.000001Z')) AS t"


def test_each_kind_is_read_as_it_is():
    found = read_arrays(ROWS, {}, ("i8", "i4", "f8", "at"))
    assert [column.tolist()[0] for column in found[:3]] == [5, 2, 0.5]
    [at] = found[3].tolist()
    assert at == int(datetime(2026, 11, 22, 8, tzinfo=UTC).timestamp()) * 1_000_000 + 1


def test_nothing_is_empty_columns():
    assert [c.size for c in read_arrays(f"{ROWS} WHERE false", {}, ("i8", "i4", "f8", "at"))] == [0] * 4


def test_many_rows_stay_together():
    sql = "SELECT i::bigint, -i::bigint FROM generate_series(1, %(n)s) i"
    one, other = read_arrays(sql, {"n": 50_000}, ("i8", "i8"))
    assert one.size == 50_000
    assert (one + other == 0).all()


@pytest.mark.parametrize("sql", ["SELECT NULL::bigint", "SELECT 1::int"])
def test_what_is_not_of_the_kind_is_an_error(sql):
    with pytest.raises(ValueError, match="not 1 values of kind i8"):
        read_arrays(sql, {}, ("i8",))
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
