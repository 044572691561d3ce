"""Writing health scores against COPY of the same rows; a changed scorecard tried against plain numpy."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import connections, transaction

from bench.copies import Copies
from bench.measures import ROUNDS, Pair, measure
from bench.world import World
from cs_platform.lib.bulk import upsert
from cs_platform.lib.scoping import workspace_scope
from health.models import AccountSnapshot, HealthScore
from health.queries.in_force import published_version
from health.queries.scorecard import customers_only, preview
from health.scoring import MetricTable, ScorecardDefinition, parse_definition, score_accounts, what_if
from health.services.scores import COLUMNS, _rows, score_day, table_for
from health.services.snapshots import take_snapshots
from health.services.states import refresh_states

_TABLE = "health_healthscore"
TRIED_ON = 100_000


class Card:
    """The scorecard in force, a draft beside it, and the day's facts."""

    def __init__(self, world: World) -> None:
        self.workspace, self.as_of = world.used_workspace.pk, world.as_of
        with workspace_scope(self.workspace):
            if not AccountSnapshot.objects.filter(as_of=self.as_of).exists():
                take_snapshots(as_of=self.as_of)
            score_day(as_of=self.as_of)
            version: Any = published_version()
            self.version, self.live = version, parse_definition(version.definition)
            self.draft = drafted(self.live)
            self.ids, self.table = table_for((self.live, self.draft), as_of=self.as_of)


def drafted(live: ScorecardDefinition) -> ScorecardDefinition:
    """The first measure counts three times as much, the bands lie higher."""
    first, *others = live.measures
    bands = replace(live.bands, yellow=live.bands.yellow + 5, green=live.bands.green + 5)
    return replace(live, measures=(replace(first, weight=first.weight * 3), *others), bands=bands)


def write(world: World, *, again: bool) -> Pair:
    card = Card(world)
    copies = Copies(card.workspace, {_TABLE: "as_of = %(day)s"}, {"day": card.as_of})
    columns, text = copies.texts[_TABLE]
    days = [card.as_of - timedelta(days=10_000 + back) for back in range(ROUNDS + 1)]
    texts = iter([text.replace(str(card.as_of).encode(), str(day).encode()) for day in days])
    scores = [score_accounts(card.live, card.table), score_accounts(card.draft, card.table)]
    state = {"round": 0}

    def floor() -> None:
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            with cursor.copy(f"COPY twin_{_TABLE} ({columns}) FROM STDIN") as copy:
                copy.write(next(texts))

    def reset() -> None:
        state["round"] += 1

    def work() -> int:
        day = card.as_of if again else days[state["round"]]
        rows = _rows(card.ids, day, card.version, scores[state["round"] % 2 if again else 0])
        with workspace_scope(card.workspace):
            return upsert(_TABLE, COLUMNS, rows, key=("as_of", "account_id"))

    with workspace_scope(card.workspace):
        HealthScore.objects.filter(as_of__in=days).delete()
    copies.empty()
    return Pair(floor, work, reset, output=lambda: None)


@measure("write_scores", floor="COPY of the same rows into a keyed table", goal=3)
def write_first(world: World) -> Pair:
    return write(world, again=False)


@measure("write_scores_again", floor="COPY of the same rows into a keyed table", goal=4)
def write_again(world: World) -> Pair:
    """Nearly every row is there already and differs."""
    return write(world, again=True)


def plain(live: ScorecardDefinition) -> ScorecardDefinition:
    """Without caps, fading and thresholds by age: what a few lines of numpy do as well."""
    measures = (replace(m, tenure_bands=(), missing="redistribute") for m in live.measures)
    return replace(live, measures=tuple(measures), exceptions=())


def tiled(table: MetricTable, rows: int) -> MetricTable:
    pick = np.resize(np.arange(table.rows), rows)
    return MetricTable(table.metrics, table.values[pick])


def by_numpy(card: ScorecardDefinition, table: MetricTable) -> Any:
    """Scores as a weighted mean of clipped ramps, leaving out what is missing."""
    total, weight = np.zeros(table.rows), np.zeros(table.rows)
    for item in card.measures:
        values = table.values[:, table.metrics.index(item.metric)]
        known = ~np.isnan(values)
        points = np.clip((values - item.red) / (item.green - item.red), 0, 1) * 100
        total += np.where(known, points, 0) * item.weight
        weight += known * item.weight
    with np.errstate(invalid="ignore"):
        return total / weight


def digest(before: Any, after: Any, moved: list[int]) -> str:
    """Hash of the mean scores, to a thousandth of a point, and of the accounts that change band."""
    means = [round(float(np.nanmean(scores)), 3) for scores in (before, after)]
    return hashlib.sha256(repr((means, sorted(moved))).encode()).hexdigest()[:16]


@measure("what_if", floor="numpy on the same arrays", goal=1, seconds=True)
def try_card(world: World) -> Pair:
    """100,000 accounts, with the list of those that change band; both ways agree on every one of them."""
    card = Card(world)
    live, table = plain(card.live), tiled(card.table, TRIED_ON)
    draft, ids = drafted(live), list(range(TRIED_ON))

    def band(definition: ScorecardDefinition, scores: Any) -> Any:
        return (scores >= definition.bands.yellow) + 1 * (scores >= definition.bands.green)

    def floor() -> str:
        before, after = by_numpy(live, table), by_numpy(draft, table)
        return digest(before, after, np.flatnonzero(band(live, before) != band(draft, after)).tolist())

    def work() -> str:
        found = what_if(live, draft, table, ids)
        return digest(found.scores_before, found.scores_after, [move.account_id for move in found.moves])

    return Pair(floor, work, agree=True)


@measure("what_if_preview", floor="numpy on the same arrays", goal=1, seconds=True)
def preview_card(world: World) -> Pair:
    """What the editor asks for at each change: read the day's facts, score twice, name who would move."""
    card = Card(world)
    with workspace_scope(card.workspace):
        refresh_states(as_of=world.as_of)

    def floor() -> float:
        return float(np.nansum(by_numpy(card.live, card.table)) + np.nansum(by_numpy(card.draft, card.table)))

    def work() -> int:
        with workspace_scope(card.workspace):
            ids, table = customers_only(*table_for((card.live, card.draft), as_of=card.as_of))
            return preview(card.live, card.draft, table, ids, None, card.as_of).moved

    return Pair(floor, work, output=lambda: None)
