"""What an experiment shows: counts by stratum and arm, differences with intervals, one verdict.

By intention to treat: an account counts in the arm that it was drawn into, whatever reached it. It counts
from the moment its window is over, and never before, so that who leaves early does not count earlier than
who stays. Of an experiment that was stopped only windows that were over by then count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from django.db import connection

from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.stats import Interval, wilson_interval
from cs_platform.lib.trials import Estimate, Sums, Table, boundary, rate_lift, ratio_lift, sequence_width
from health.models import GOAL_KINDS, Experiment, HealthBand

# A pooled view has no planned end; its intervals are tightest at this much information (sum of n1 n0 / n
# over the strata), which is about 2,000 accounts with a tenth held out.
POOLED_INFORMATION = 180.0
POOLED_CONTROL = 30


class Verdict(StrEnum):
    TOO_EARLY = "too_early"
    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no_difference"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm, in one stratum or summed. ARR sums are over the counted accounts that had ARR before."""

    assigned: int = 0
    exposed: int = 0
    settled: int = 0
    hits: int = 0
    with_arr: int = 0
    arr_before: float = 0.0
    arr_after: float = 0.0
    before_squared: float = 0.0
    product: float = 0.0
    after_squared: float = 0.0

    def __add__(self, other: Arm) -> Arm:
        return Arm(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Arm)))

    @property
    def rate(self) -> float | None:
        return self.hits / self.settled if self.settled else None

    @property
    def interval(self) -> Interval:
        return wilson_interval(self.hits, self.settled)

    @property
    def arr_kept(self) -> float | None:
        return self.arr_after / self.arr_before if self.arr_before else None

    @property
    def sums(self) -> Sums:
        return Sums(
            self.with_arr,
            self.arr_before,
            self.arr_after,
            self.before_squared,
            self.product,
            self.after_squared,
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """Both arms of one stratum."""

    stratum: str
    treated: Arm
    control: Arm

    @property
    def table(self) -> Table:
        return Table(self.treated.hits, self.treated.settled, self.control.hits, self.control.settled)


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that is known of an experiment at the moment. `information` is the settled share of the plan."""

    cells: tuple[Cell, ...]
    treated: Arm
    control: Arm
    information: float
    lift: Estimate | None
    arr_lift: Estimate | None
    verdict: Verdict

    @property
    def settled(self) -> int:
        return self.treated.settled + self.control.settled

    @property
    def assigned(self) -> int:
        return self.treated.assigned + self.control.assigned


_CELLS = """
SELECT a.experiment_id, a.stratum, v.is_holdout, count(*), count(x.id), count(o.id),
    count(o.id) FILTER (WHERE o.kind = ANY(g.kinds)),
    count(o.id) FILTER (WHERE o.arr_before_minor > 0),
    sum(o.arr_before_minor::float8), sum(o.arr_after_minor::float8) FILTER (WHERE o.arr_before_minor > 0),
    sum(o.arr_before_minor::float8 ^ 2), sum(o.arr_before_minor::float8 * o.arr_after_minor),
    sum(o.arr_after_minor::float8 ^ 2) FILTER (WHERE o.arr_before_minor > 0)
FROM health_assignment a
JOIN health_experiment e ON e.workspace_id = a.workspace_id AND e.id = a.experiment_id
JOIN health_variant v ON v.workspace_id = a.workspace_id AND v.id = a.variant_id
JOIN (SELECT unnest(%(goals)s::text[]) AS goal, string_to_array(unnest(%(kinds)s::text[]), ' ') AS kinds) g
    ON g.goal = e.outcome
LEFT JOIN health_exposure x ON x.workspace_id = a.workspace_id AND x.assignment_id = a.id
LEFT JOIN health_outcome o ON o.workspace_id = a.workspace_id AND o.assignment_id = a.id
    AND o.settled_at IS NOT NULL AND (e.stopped_at IS NULL OR o.ends_at <= e.stopped_at)
WHERE a.workspace_id = %(workspace)s AND a.experiment_id = ANY(%(experiments)s)
GROUP BY a.experiment_id, a.stratum, v.is_holdout
"""


def results(experiments: Sequence[Experiment]) -> dict[int, Result]:
    """The result of each experiment, by its id; one query for all."""
    arms: dict[int, dict[str, dict[bool, Arm]]] = defaultdict(lambda: defaultdict(dict))
    params: dict[str, Any] = {
        "workspace": current_workspace_id(),
        "experiments": [experiment.pk for experiment in experiments],
        "goals": list(GOAL_KINDS),
        "kinds": [" ".join(kinds) for kinds in GOAL_KINDS.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(_CELLS, params)
        for pk, stratum, is_holdout, *counts in cursor.fetchall():
            arms[pk][stratum][is_holdout] = Arm(*(value or 0 for value in counts))
    return {experiment.pk: _result(experiment, arms[experiment.pk]) for experiment in experiments}


def _result(experiment: Experiment, strata: dict[str, dict[bool, Arm]]) -> Result:
    cells = tuple(
        Cell(stratum, found.get(False, Arm()), found.get(True, Arm()))
        for stratum, found in sorted(strata.items(), key=lambda item: _worst_first(item[0]))
    )
    treated = sum((cell.treated for cell in cells), Arm())
    control = sum((cell.control for cell in cells), Arm())
    information = min((treated.settled + control.settled) / experiment.planned_accounts, 1.0)
    width = boundary(information)
    lift = rate_lift([cell.table for cell in cells], width)
    return Result(
        cells=cells,
        treated=treated,
        control=control,
        information=information,
        lift=lift,
        arr_lift=ratio_lift(treated.sums, control.sums, width),
        verdict=verdict(lift, is_complete=information >= 1.0, is_stopped=not experiment.is_running),
    )


def _worst_first(stratum: str) -> tuple[int, str]:
    band, _sep, third = stratum.partition(":")
    return (HealthBand.values.index(band) if band in HealthBand.values else len(HealthBand.values), third)


def verdict(lift: Estimate | None, *, is_complete: bool, is_stopped: bool) -> Verdict:
    """What may be said. Without a difference "no difference" is for complete plans only."""
    if lift is not None and lift.is_decided:
        return Verdict.BETTER if lift.value > 0 else Verdict.WORSE
    if is_complete and lift is not None:
        return Verdict.NO_DIFFERENCE
    return Verdict.UNDECIDED if is_stopped else Verdict.TOO_EARLY


@dataclass(frozen=True, slots=True)
class Pooled:
    """Experiments of one goal together, each stratum of each compared within itself."""

    goal: str
    experiments: int
    treated: Arm
    control: Arm
    lift: Estimate | None
    verdict: Verdict


def pooled(goal: str, found: Iterable[Result]) -> Pooled | None:
    """All experiments of a goal as one; None while fewer than two have an outcome in both arms.

    It may be looked at for ever: its interval is a confidence sequence, wider than that of a plan.
    """
    parts = [result for result in found if result.treated.settled and result.control.settled]
    if len(parts) < 2:
        return None
    tables = [cell.table for result in parts for cell in result.cells]
    treated = sum((result.treated for result in parts), Arm())
    control = sum((result.control for result in parts), Arm())
    lift = None
    if control.settled >= POOLED_CONTROL:
        information = sum(
            t.treated * t.control / (t.treated + t.control) for t in tables if t.treated and t.control
        )
        lift = rate_lift(tables, sequence_width(information / POOLED_INFORMATION))
    return Pooled(
        goal, len(parts), treated, control, lift, verdict(lift, is_complete=False, is_stopped=False)
    )
