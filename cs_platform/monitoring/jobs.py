"""How much work waits, for /metrics: counted in the database at the moment of asking."""

from collections.abc import Iterator

from django.db import connection
from prometheus_client.core import GaugeMetricFamily, Metric

_WAITING = """
    SELECT kind,
           count(*) FILTER (WHERE parked_at IS NULL AND due_at <= clock_timestamp()),
           count(*) FILTER (WHERE parked_at IS NOT NULL),
           coalesce(extract(epoch FROM clock_timestamp() - min(due_at)
                    FILTER (WHERE parked_at IS NULL AND due_at <= clock_timestamp())), 0)::float8
    FROM accounts_job GROUP BY kind ORDER BY kind
"""


class WaitingJobs:
    """A collector: due and parked jobs and the age of the oldest due one, by kind."""

    def collect(self) -> Iterator[Metric]:
        due = GaugeMetricFamily("cs_jobs_due", "Jobs that are due and wait for a worker.", labels=["kind"])
        parked = GaugeMetricFamily("cs_jobs_parked", "Jobs that failed too often.", labels=["kind"])
        oldest = GaugeMetricFamily(
            "cs_jobs_oldest_due_seconds", "Age of the oldest job that waits.", labels=["kind"], unit="seconds"
        )
        with connection.cursor() as cursor:
            cursor.execute(_WAITING)
            for kind, waiting, failed, age in cursor.fetchall():
                due.add_metric([kind], waiting)
                parked.add_metric([kind], failed)
                oldest.add_metric([kind], age)
        yield from (due, parked, oldest)
