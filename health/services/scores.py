"""Stage "score": snapshots and the published scorecard to health scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from cs_platform.lib.bulk import upsert
from cs_platform.lib.shards import ALL, Shard
from health.models import HealthScore, ScorecardVersion
from health.queries.columns import DayColumns, last_known, metric_columns
from health.queries.in_force import card_places, cards_in_force
from health.scoring import MetricTable, ScorecardDefinition, ScoreTable, parse_definition, score_accounts
from health.scoring.score import BAND_NAMES, EXPIRED_HALF_LIVES

COLUMNS = ("account_id", "as_of", "version_id", "score", "band", "coverage", "contributions", "cap")


def score_day(*, as_of: date, shard: Shard = ALL) -> int:
    """Score every account with a snapshot of the day by its own card; returns the rows written. Idempotent.

    Which card is an account's own: the first whose segment has it, as the membership was last written.
    """
    cards = cards_in_force()
    if not cards:
        return 0
    definitions = [parse_definition(in_force.version.definition) for in_force in cards]
    account_ids, table = table_for(definitions, as_of=as_of, shard=shard)
    places = card_places(account_ids, cards)
    for at, (in_force, definition) in enumerate(zip(cards, definitions, strict=True)):
        mine = places == at
        scores = score_accounts(definition, rows_of_table(table, mine))
        upsert(
            HealthScore._meta.db_table,
            COLUMNS,
            _rows(account_ids[mine], as_of, in_force.version, scores),
            key=("as_of", "account_id"),
        )
    return int(np.count_nonzero(places >= 0))


def moved_cards(*, as_of: date) -> int:
    """How many accounts were scored on that day by a card that is no longer theirs (or not at all)."""
    cards = cards_in_force()
    if len(cards) < 2:
        return 0
    scored = HealthScore.objects.filter(as_of=as_of).values_list("account_id", "version__scorecard_id")
    rows = np.array(list(scored), dtype=np.int64).reshape(-1, 2)
    own = np.array([in_force.card.pk for in_force in cards], dtype=np.int64)
    return int(np.count_nonzero(own[card_places(rows[:, 0], cards)] != rows[:, 1]))


def rows_of_table(table: MetricTable, keep: Any) -> MetricTable:
    """The rows that a boolean array names."""
    ages = None if table.ages is None else table.ages[keep]
    tenure = None if table.tenure_days is None else table.tenure_days[keep]
    return replace(table, values=table.values[keep], ages=ages, tenure_days=tenure)


def table_for(
    definitions: Sequence[ScorecardDefinition], *, as_of: date, shard: Shard = ALL
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], MetricTable]:
    """One table that serves several definitions (what is in force and a draft)."""
    names = (name for definition in definitions for name in definition.metrics)
    keys = tuple(dict.fromkeys((*names, "tenure_days")))
    day = metric_columns(as_of=as_of, keys=keys, shard=shard)
    values, ages = day.matrix(keys), np.zeros((day.account_ids.size, len(keys)))
    fading: dict[str, float] = {}
    for definition in definitions:
        for measure in definition.measures:
            if measure.missing == "decay":
                fading[measure.metric] = max(fading.get(measure.metric, 0), measure.half_life_days)
    for key, half_life_days in fading.items():
        _fill_last_known(day, values, ages, keys.index(key), as_of, half_life_days)
    table = MetricTable(metrics=keys, values=values, ages=ages, tenure_days=day.columns["tenure_days"])
    return day.account_ids, table


def _fill_last_known(
    day: DayColumns, values: Any, ages: Any, at: int, as_of: date, half_life_days: float
) -> None:
    missing = np.isnan(values[:, at])
    if not missing.any():
        return
    days = int(half_life_days * EXPIRED_HALF_LIVES) + 1
    key = list(day.columns)[at]
    old, age = last_known(as_of=as_of, key=key, within_days=days, account_ids=day.account_ids[missing])
    values[missing, at], ages[missing, at] = old, np.nan_to_num(age)


def _rows(
    account_ids: Any, as_of: date, version: ScorecardVersion, scores: ScoreTable
) -> Iterator[tuple[Any, ...]]:
    caps = np.where(scores.exception_rule >= 0, scores.score, np.nan)
    bands = [BAND_NAMES[code] for code in scores.bands.tolist()]
    columns = (account_ids.tolist(), _known(scores.score), bands, scores.coverage.tolist(), _known(caps))
    contributions = map(_array_text, scores.contributions.tolist())
    for parts, account_id, score, band, coverage, cap in zip(contributions, *columns, strict=True):
        yield account_id, as_of, version.pk, score, band, coverage, parts, cap


def _known(values: Any) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _array_text(values: list[float]) -> str:
    """As Postgres reads a float8[]: a list would be adapted element by element."""
    return "{" + ",".join("NULL" if value != value else repr(value) for value in values) + "}"
