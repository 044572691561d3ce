"""Metrics that follow facts within the day, read anew for some accounts; snapshots stay as they were taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from cs_platform.lib.shards import ALL, Shard
from cs_platform.lib.staging import MANY, planned_for
from health.metrics.catalogue import all_metrics
from health.metrics.reading import snapshot_reading
from health.metrics.statement import snapshot_select


def live_columns(
    account_ids: NDArray[np.int64], *, on: date, shard: Shard = ALL
) -> Mapping[str, NDArray[np.float64]]:
    """Metrics marked `at_once` with all facts of the local day `on` and before, aligned to `account_ids`; nan = no data."""
    metrics = {name: metric for name, metric in all_metrics().items() if metric.at_once}
    positions = {name: place for place, name in enumerate(metrics)}
    found = {name: np.full(account_ids.size, np.nan) for name in metrics}
    if not metrics or not account_ids.size:
        return found
    reading = snapshot_reading(as_of=on + timedelta(days=1), shard=shard)
    select = snapshot_select(reading, metrics, positions)
    many = len(shard.only) or MANY
    with connection.cursor() as cursor, planned_for(cursor, many):
        cursor.execute(select, reading.params)
        rows = cursor.fetchall()
    places = {int(account_id): at for at, account_id in enumerate(account_ids.tolist())}
    for account_id, values in rows:
        if (at := places.get(account_id)) is not None:
            for name, place in positions.items():
                if values[place] is not None:
                    found[name][at] = values[place]
    return found
