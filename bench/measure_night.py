"""The whole night by four workers against what no night can do without.

The floor: scan the events once on all cores, predict and explain from ready arrays in one process, COPY every
row that the night writes into twins of its tables.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import connection

from bench.copies import Copies
from bench.measure_fold import Day
from bench.measure_snapshot import scan_events
from bench.measures import Pair, measure
from bench.model import put_live
from bench.workers import Workers
from bench.world import World
from cs_platform.lib.scoping import workspace_scope
from health.models import NightRun, StageRun
from health.queries.features import feature_frame
from health.services.nights import start_night
from health.services.predictions import REASONS
from health.services.snapshots import take_snapshots

_OF_DAY = ("health_accountsnapshot", "health_healthscore", "health_churnprediction")
_LATEST = ("health_accountstate", "health_risk", "health_queueitem", "health_queueentry")
_WRITTEN = {
    "health_usagerollup": "day = %(day)s",
    "health_accountday": "day = %(day)s",
    "health_contactdays": "block = %(block)s AND bits & %(bit)s <> 0",
    **dict.fromkeys(_OF_DAY, "as_of = %(as_of)s"),
    **dict.fromkeys(_LATEST, "true"),
}
_OUTPUT = """
SELECT md5(string_agg(concat_ws(' ', s.account_id, s.values, h.score, h.band, p.probability, p.reasons,
    (SELECT string_agg(r.cause || r.evidence, ',' ORDER BY r.cause) FROM health_risk r
     WHERE r.account_id = s.account_id AND r.closed_on IS NULL),
    q.expected_loss_minor, q.items), ';' ORDER BY s.account_id)), count(*), count(p.id), count(q.id)
FROM health_accountsnapshot s
LEFT JOIN health_healthscore h ON h.account_id = s.account_id AND h.as_of = s.as_of
LEFT JOIN health_churnprediction p ON p.account_id = s.account_id AND p.as_of = s.as_of
LEFT JOIN health_queueentry q ON q.account_id = s.account_id WHERE s.as_of = %(as_of)s
"""


class Night:
    """The night of the world's day, run again and again from the same start."""

    def __init__(self, world: World, algorithm: str) -> None:
        self.world = world
        self.workspace = world.used_workspace.pk
        self.day = Day(world)
        with workspace_scope(self.workspace):
            take_snapshots(as_of=world.as_of)
            self.version = put_live(world.as_of, algorithm)
        self.workers = Workers()
        self.run()
        self.parameters = {**self.day.parameters, "as_of": world.as_of}
        self.copies = Copies(self.workspace, _WRITTEN, self.parameters)
        with workspace_scope(self.workspace):
            self.matrix = feature_frame([world.as_of]).matrix

    def floor(self) -> None:
        from health import ml

        scan_events(self.world)
        model = ml.load(self.version.artefact)
        model.predict(self.matrix)
        ml.top_reasons(model, self.matrix, k=REASONS)
        self.copies.write()

    def run(self) -> None:
        with workspace_scope(self.workspace):
            night = start_night(as_of=self.world.as_of, acting_user=None, again=True)
        self.workers.finish(self.workspace, night.pk)

    def empty(self, tables: tuple[str, ...]) -> None:
        """Yesterday's events are waiting, and these tables hold nothing of the day."""
        self.day.take_out()
        with workspace_scope(self.workspace), connection.cursor() as cursor:
            for table in tables:
                where = "as_of = %(as_of)s" if table in _OF_DAY else "true"
                cursor.execute(f"DELETE FROM {table} WHERE {where}", self.parameters)
            NightRun.objects.all().delete()

    def output(self) -> Any:
        with workspace_scope(self.workspace), connection.cursor() as cursor:
            cursor.execute(_OUTPUT, self.parameters)
            return cursor.fetchone()

    def stages(self) -> dict[str, float]:
        """Seconds of the slowest shard of each stage, in the last round."""
        with workspace_scope(self.workspace):
            found: dict[str, float] = {}
            for row in StageRun.objects.order_by("position"):
                found[row.stage] = max(found.get(row.stage, 0), round(row.seconds or 0, 2))
            return found

    def pair(self, *, first: bool) -> Pair:
        tables = (*reversed(_LATEST), *_OF_DAY) if first else _OF_DAY
        return Pair(self.floor, self.run, partial(self.empty, tables), output=self.output, extras=self.stages)


FLOOR = "scan + predict + reasons + keyed COPY"


@measure("night", floor=FLOOR, goal=4)
def night(world: World) -> Pair:
    """A usual night: states, risks and queue of the night before are there."""
    return Night(world, "logistic").pair(first=False)


@measure("night_first", floor=FLOOR, goal=4)
def night_first(world: World) -> Pair:
    """The first night: every table it writes is empty."""
    return Night(world, "logistic").pair(first=True)


@measure("night_boosted", floor=FLOOR, goal=4)
def night_boosted(world: World) -> Pair:
    """A usual night with boosting in force: predicting and explaining weigh more, on both sides."""
    return Night(world, "boosting").pair(first=False)
