"""The list of experiments and the page of one: what each shows beside its result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Count, Q

from cs_platform.lib.registry import UnknownName
from cs_platform.lib.scoping import ScopedQuerySet, current_workspace_id
from cs_platform.lib.trials import Estimate, Table, boundary, rate_lift
from health.models import GOAL_KINDS, Assignment, Exclusion, Experiment, Exposure, Goal, Outcome
from health.queries.experiment_results import Pooled, Result, pooled, results
from health.queries.keyset import Column, Order, page_of
from health.registry import SubjectWords, experiment_subjects

PAGE_SIZE = 25
CHECKPOINTS = 24
SHOWN = 50
_NEWEST = Order("newest", (Column("started_at", descending=True), Column("pk", descending=True)))


@dataclass(frozen=True, slots=True)
class Row:
    """One experiment of the list."""

    experiment: Experiment
    subject: SubjectWords
    result: Result


@dataclass(frozen=True, slots=True)
class Listing:
    rows: list[Row]
    after: str
    before: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the page showed on a past day: outcomes known by then and the difference, if any could be told."""

    day: date
    settled: int
    lift: Estimate | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How the draw goes: accounts a month lately, who is held out now, when the next windows end."""

    pace: int
    held_out_now: int
    waiting: int
    next_end: datetime | None
    last_end: datetime | None
    exposed_holdouts: int


def subject_words(experiment: Experiment) -> SubjectWords:
    """What is tested, as its kind describes it; the experiment's own name when the kind is gone."""
    try:
        return experiment_subjects.get(experiment.subject_type).describe(experiment.subject_id)
    except UnknownName:
        return SubjectWords(experiment.name)


def shown(state: str) -> ScopedQuerySet:
    """Experiments of the list: all, "running" or "stopped"."""
    rows: ScopedQuerySet = Experiment.objects.all()
    if state in ("running", "stopped"):
        return rows.filter(stopped_at__isnull=state == "running")
    return rows


def listing(state: str, *, after: str = "", before: str = "", size: int = PAGE_SIZE) -> Listing:
    """One page, newest first; two queries beside what the subjects need to describe themselves."""
    page = page_of(shown(state), _NEWEST, after=after, before=before, size=size)
    found = results(page.rows)
    rows = [Row(experiment, subject_words(experiment), found[experiment.pk]) for experiment in page.rows]
    return Listing(rows, page.after, page.before)


def pooled_results() -> list[Pooled]:
    """All experiments of each goal together, where there are at least two."""
    experiments = list(Experiment.objects.order_by("pk"))
    found = results(experiments)
    parts = [
        pooled(goal, [found[experiment.pk] for experiment in experiments if experiment.outcome == goal])
        for goal in Goal.values
    ]
    return [part for part in parts if part is not None]


def progress(experiment: Experiment, *, now: datetime) -> Progress:
    """Counts beside the result; three queries."""
    rows = Assignment.objects.filter(experiment=experiment)
    holdout = Q(variant__is_holdout=True)
    counts = rows.aggregate(
        lately=Count("pk", filter=Q(assigned_at__gt=now - timedelta(days=90))),
        held=Count("pk", filter=holdout & Q(ends_at__gt=now)),
    )
    waiting = Outcome.objects.filter(assignment__experiment=experiment, settled_at__isnull=True)
    ends = list(waiting.order_by("ends_at").values_list("ends_at", flat=True))
    months = min(max((now - experiment.started_at).days, 30), 90) / 30
    return Progress(
        pace=round(counts["lately"] / months),
        held_out_now=counts["held"] if experiment.is_running else 0,
        waiting=len(ends),
        next_end=ends[0] if ends else None,
        last_end=ends[-1] if ends else None,
        exposed_holdouts=Exposure.objects.filter(
            assignment__experiment=experiment, assignment__variant__is_holdout=True
        ).count(),
    )


def exclusions(experiment: Experiment, *, limit: int = SHOWN) -> Sequence[Exclusion]:
    rows = Exclusion.objects.filter(experiment=experiment).select_related("account")
    return list(rows.order_by("-excluded_at", "-pk")[:limit])


def held_out_now(experiment: Experiment, *, now: datetime, limit: int = SHOWN) -> list[Assignment]:
    """Accounts that are left alone at the moment, those that are free first on top."""
    if not experiment.is_running:
        return []
    rows = Assignment.objects.filter(experiment=experiment, variant__is_holdout=True, ends_at__gt=now)
    return list(rows.select_related("account").order_by("ends_at", "pk")[:limit])


_DAYS = """
SELECT o.ends_at::date, a.stratum, v.is_holdout, count(*), count(*) FILTER (WHERE o.kind = ANY(%(kinds)s))
FROM health_assignment a
JOIN health_variant v ON v.workspace_id = a.workspace_id AND v.id = a.variant_id
JOIN health_outcome o ON o.workspace_id = a.workspace_id AND o.assignment_id = a.id
WHERE a.workspace_id = %(workspace)s AND a.experiment_id = %(experiment)s AND o.settled_at IS NOT NULL
    AND (%(stopped)s::timestamptz IS NULL OR o.ends_at <= %(stopped)s)
GROUP BY 1, 2, 3 ORDER BY 1
"""


def checkpoints(experiment: Experiment) -> list[Checkpoint]:
    """The difference as it stood on up to 24 days, with the interval of that day's share of the plan."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DAYS,
            {
                "workspace": current_workspace_id(),
                "experiment": experiment.pk,
                "kinds": list(GOAL_KINDS[experiment.outcome]),
                "stopped": experiment.stopped_at,
            },
        )
        rows = cursor.fetchall()
    days = sorted({row[0] for row in rows})
    wanted = {days[(len(days) - 1) * k // (CHECKPOINTS - 1)] for k in range(CHECKPOINTS)} if days else set()
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])  # hits, total of treated, of control
    found: list[Checkpoint] = []
    for day in days:
        for _day, stratum, is_holdout, total, hits in (row for row in rows if row[0] == day):
            sums[stratum][2 * is_holdout] += hits
            sums[stratum][2 * is_holdout + 1] += total
        if day in wanted:
            settled = sum(part[1] + part[3] for part in sums.values())
            width = boundary(settled / experiment.planned_accounts)
            found.append(Checkpoint(day, settled, rate_lift([Table(*part) for part in sums.values()], width)))
    return found
