"""The demo's rehearsal: a finished test of nothing over the simulated past.

Both groups are treated alike, so whatever difference it shows is chance. Its accounts are drawn week by
week from what was known then, its outcomes are what the simulated business did afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from cs_platform.lib.periods import day_start
from cs_platform.lib.scoping import workspace_scope
from health.metrics.catalogue import known_positions
from health.models import AccountSnapshot, Assignment, Experiment, Goal, HealthBand, HealthScore
from health.registry import ExperimentSubject, SubjectWords, experiment_subjects
from health.services.experiments import draw, start_experiment, stratum
from health.services.outcomes import settle_outcomes

SUBJECT = "health.rehearsal"
WEEKS, WINDOW, SHARE = 26, 60, 0.2
# Fewer customers than this would make a picture of noise.
FEWEST = 50


def register() -> None:
    experiment_subjects.register(
        ExperimentSubject(
            SUBJECT,
            _("Rehearsal"),
            describe=lambda subject_id: SubjectWords(gettext("Nothing: both groups are treated alike")),
            duties=lambda subject_id: (),
        )
    )


def rehearse(workspace: Workspace, as_of: date) -> int:
    """Draw, settle and finish the rehearsal, once; returns how many accounts it counts."""
    with workspace_scope(workspace.pk):
        if Experiment.objects.filter(subject_type=SUBJECT).exists():
            return 0
        weeks = list(_weeks(as_of))
        eligible = {pk for week in weeks for pk, _band in _watched(week)}
        planned = len(eligible) * 3 // 4
        if planned < FEWEST:
            return 0
        experiment = start_experiment(
            subject_type=SUBJECT,
            subject_id=1,
            name=gettext("Rehearsal: both groups treated alike"),
            holdout_share=SHARE,
            outcome=Goal.RETAINED,
            window_days=WINDOW,
            acting_user=None,
            now=_morning(weeks[0], workspace),
            planned_accounts=planned,
        )
        for week in weeks:
            _draw_week(experiment, week, workspace)
        _settle(experiment, workspace)
        return planned


def _weeks(as_of: date) -> Iterator[date]:
    """Scored days of the last half year whose window is over by `as_of`."""
    first, last = as_of - timedelta(weeks=WEEKS), as_of - timedelta(days=WINDOW + 1)
    days = HealthScore.objects.filter(as_of__gte=first, as_of__lte=last).order_by("as_of")
    yield from days.values_list("as_of", flat=True).distinct()


def _watched(week: date) -> list[tuple[int, str]]:
    """Customers that were red or yellow on that day."""
    bands = (HealthBand.RED, HealthBand.YELLOW)
    rows = HealthScore.objects.filter(as_of=week, band__in=bands)
    return list(rows.order_by("account_id").values_list("account_id", "band"))


def _draw_week(experiment: Experiment, week: date, workspace: Workspace) -> None:
    drawn = set(Assignment.objects.filter(experiment=experiment).values_list("account_id", flat=True))
    fresh = [(pk, band) for pk, band in _watched(week) if pk not in drawn]
    arr = _arr(week, [pk for pk, _band in fresh])
    strata = {pk: stratum(band, arr.get(pk, 0), experiment.arr_edges) for pk, band in fresh}
    draw(experiment=experiment, account_ids=list(strata), now=_morning(week, workspace), strata=strata)


def _arr(week: date, account_ids: list[int]) -> dict[int, float]:
    """ARR of that day in minor units, from its snapshots."""
    place = known_positions().get("mrr_minor")
    if place is None:
        return {}
    rows = AccountSnapshot.objects.filter(as_of=week, account_id__in=account_ids)
    return {pk: 12 * (values[place] or 0) for pk, values in rows.values_list("account_id", "values")}


def _settle(experiment: Experiment, workspace: Workspace) -> None:
    """One night after another, as they would have come."""
    ends = Assignment.objects.filter(experiment=experiment).values_list("ends_at", flat=True)
    for day in sorted({end.astimezone(workspace.zone).date() for end in ends}):
        night = day + timedelta(days=1)
        settle_outcomes(as_of=night, now=_morning(night, workspace))


def _morning(day: date, workspace: Workspace) -> datetime:
    return day_start(day, workspace.zone) + timedelta(hours=workspace.night_hour)
