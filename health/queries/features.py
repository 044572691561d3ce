"""What a churn model reads of each account and day: the snapshots, and texts as levels beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db.models import Count
from numpy.typing import NDArray

from accounts.models import TraitDefinition
from cs_platform.lib.arrays import filled, native, read_columns
from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.shards import ALL, Shard
from health.metrics.catalogue import all_metrics, known_positions
from health.models import AccountSnapshot
from health.queries.labels import labels
from health.queries.texts import text_columns
from health.registry import Metric, MetricGroup

if TYPE_CHECKING:
    from health.ml import FeatureMatrix, FeatureSpec, TrainingTable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class FeatureFrame:
    """Rows sorted by day and account. `as_of` (N,) holds proleptic ordinals of the days."""

    account_ids: Ints
    as_of: Ints
    matrix: FeatureMatrix
    metrics: dict[str, Floats]


def feature_frame(as_of_dates: Sequence[date], *, shard: Shard = ALL) -> FeatureFrame:
    """All features of the accounts that were customers on the days, from the snapshots of these days."""
    from health.ml import FeatureMatrix

    places = known_positions()
    account_ids, as_of, values = _snapshots(as_of_dates, places, shard)
    customers = np.nan_to_num(values[:, places["subscriptions"]]) > 0 if places else np.zeros(0, dtype=bool)
    account_ids, as_of, values = account_ids[customers], as_of[customers], values[customers]
    used = [metric for metric in all_metrics().values() if metric.in_model and metric.name in places]
    texts = text_columns(as_of_dates, account_ids=account_ids, as_of=as_of, shard=shard)
    numbers = values[:, [places[metric.name] for metric in used]]
    matrix = FeatureMatrix(
        (*_specs(used), *(spec for spec, _column in texts)),
        np.column_stack([numbers, *(column for _spec, column in texts)]),
    )
    columns = {metric.name: numbers[:, at] for at, metric in enumerate(used)}
    return FeatureFrame(account_ids, as_of, matrix, columns)


def training_table(
    as_of_dates: Sequence[date], *, horizon_days: int, known_until: date, max_rows: int = 300_000
) -> TrainingTable:
    """Features and outcomes of the customers of each day whose horizon is over by `known_until`.

    Above `max_rows` whole accounts are left out, so that the rate of churn stays unbiased.
    """
    from health.ml import TrainingTable

    shard = _sample(as_of_dates, max_rows)
    frame = feature_frame(as_of_dates, shard=shard)
    outcome = labels(as_of_dates, horizon_days=horizon_days, known_until=known_until, shard=shard)
    here, there = _matched(frame.account_ids, frame.as_of, outcome.account_ids, outcome.as_of)
    return TrainingTable(
        features=frame.matrix.rows(here),
        account_ids=frame.account_ids[here],
        as_of=frame.as_of[here],
        label=outcome.label[there],
        horizon_days=horizon_days,
        label_kind=outcome.kind[there],
        arr_minor=12 * frame.metrics["mrr_minor"][here] if here.size else np.zeros(0),
        health_score=_scores(as_of_dates, frame, shard)[here],
        days_to_renewal=frame.metrics["days_to_renewal"][here] if here.size else np.zeros(0),
        tenure_days=frame.metrics["tenure_days"][here] if here.size else np.zeros(0),
    )


def _sample(as_of_dates: Sequence[date], max_rows: int) -> Shard:
    rows = AccountSnapshot.objects.filter(as_of__in=as_of_dates).aggregate(rows=Count("id"))["rows"]
    return Shard(0, max(1, ceil(rows / max_rows)))


def _specs(used: Sequence[Metric]) -> list[FeatureSpec]:
    from health.ml import FeatureSpec

    undated = set(TraitDefinition.objects.filter(is_dated=False).values_list("key", flat=True))
    return [
        FeatureSpec(
            name=metric.name,
            source="trait" if metric.group == MetricGroup.TRAITS else "metric",
            undated=metric.group == MetricGroup.TRAITS and metric.name.partition(":")[2] in undated,
            behavioural=metric.behavioural,
        )
        for metric in used
    ]


def _snapshots(
    as_of_dates: Sequence[date], places: dict[str, int], shard: Shard
) -> tuple[Ints, Ints, Floats]:
    size = max(places.values(), default=-1) + 1
    params = {"workspace": current_workspace_id(), "days": list(as_of_dates), "epoch": date(1970, 1, 1)}
    if not size or not as_of_dates:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros((0, size))
    rows = read_columns(
        f"SELECT account_id, as_of - %(epoch)s::date, {filled('values', size)} FROM health_accountsnapshot"
        f" WHERE workspace_id = %(workspace)s AND as_of = ANY(%(days)s) AND {shard.sql('account_id')}"
        " ORDER BY as_of, account_id",
        params,
        ("i8", "i4"),
        array_size=size,
    )
    values = native(rows["values"]["value"], "f8")
    return native(rows["c0"], "i8"), native(rows["c1"], "i8") + EPOCH, values


def _scores(as_of_dates: Sequence[date], frame: FeatureFrame, shard: Shard) -> Floats:
    """The day's health scores, aligned to the frame; nan where none was given."""
    rows = read_columns(
        "SELECT account_id, as_of - %(epoch)s::date, score FROM health_healthscore"
        " WHERE workspace_id = %(workspace)s AND as_of = ANY(%(days)s) AND score IS NOT NULL"
        f" AND {shard.sql('account_id')}",
        {"workspace": current_workspace_id(), "days": list(as_of_dates), "epoch": date(1970, 1, 1)},
        ("i8", "i4", "f8"),
    )
    out = np.full(frame.account_ids.size, np.nan)
    here, there = _matched(
        frame.account_ids, frame.as_of, native(rows["c0"], "i8"), native(rows["c1"], "i8") + EPOCH
    )
    out[here] = rows["c2"][there]
    return out


def _matched(ids: Any, days: Any, other_ids: Any, other_days: Any) -> tuple[Ints, Ints]:
    """Indices of rows with the same account and day on both sides, in the order of the first."""
    width = max(int(ids.max(initial=0)), int(other_ids.max(initial=0))) + 1
    keys, other = days * width + ids, other_days * width + other_ids
    _found, here, there = np.intersect1d(keys, other, assume_unique=True, return_indices=True)
    return here, there
