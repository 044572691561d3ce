"""Months are made ahead of time, and what came in before its month existed moves into it."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection, connections, transaction
from django.db.utils import ProgrammingError

from cs_platform.lib.scoping import workspace_scope
from health.intake.rows import EventRow
from health.models import Event
from health.services.events import store_events
from health.services.partitions import ensure_partitions
from tests.conftest import Cast


@pytest.fixture
def later_months(transactional_db: None):
    """Drop what the test adds: the schema outlives the test."""
    yield
    with connections["owner"].cursor() as cursor:
        for month in range(1, 13):
            for year in (2041, 2042):
                cursor.execute(f"DROP TABLE IF EXISTS health_event_{year}_{month:02}")


def partitions() -> set[str]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'health_event'::regclass"
        )
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_upkeep_makes_missing_months_and_moves_their_events(cast: Cast, later_months: None) -> None:
    before = partitions()
    moments = [datetime(2042, 1, 31, 23, 59, tzinfo=UTC), datetime(2042, 2, 1, tzinfo=UTC)]
    with workspace_scope(cast.workspace.pk):
        for moment in moments:
            store_events([EventRow(moment, "x", str(moment), "u")], received_at=moment, source="test")
    created = ensure_partitions(today=date(2041, 11, 15))
    assert partitions() - before == set(created)
    assert {"health_event_2042_01", "health_event_2042_02"} <= set(created)
    assert "health_event_2042_03" not in created
    assert ensure_partitions(today=date(2041, 11, 20)) == []
    with connections["owner"].cursor() as cursor:
        for table, count in (("2042_01", 1), ("2042_02", 1), ("default", 0)):
            cursor.execute(f"SELECT count(*) FROM health_event_{table}")
            assert cursor.fetchone() == (count,)
    with workspace_scope(cast.workspace.pk):
        assert list(Event.objects.order_by("occurred_at").values_list("occurred_at", flat=True)) == moments
        again = [EventRow(moment, "x", str(moment), "u") for moment in moments]
        assert store_events(again, received_at=moments[1], source="test").duplicates == 2


def test_the_product_may_not_touch_a_single_partition(scope: Cast) -> None:
    store_events(
        [EventRow(datetime(2026, 11, 2, tzinfo=UTC), "x", "1", "u")],
        received_at=datetime(2026, 11, 2, tzinfo=UTC),
        source="test",
    )
    refused = pytest.raises(ProgrammingError, match="permission denied")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM health_event_2026_11")
