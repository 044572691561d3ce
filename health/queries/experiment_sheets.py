"""Experiments as tables for spreadsheets; shares from 0 to 1, money in major units."""

from __future__ import annotations

from django.utils.translation import gettext

from cs_platform.lib.money import to_major
from cs_platform.lib.trials import Estimate
from health.models import Assignment, Experiment, Outcome
from health.queries.experiment_pages import listing
from health.queries.experiment_words import VERDICT_WORDS, stratum_words

MOST_ROWS = 5000
Sheet = tuple[list[str], list[list[object]]]


def experiments_sheet(state: str) -> Sheet:
    """One row per experiment of the list."""
    headers = [
        gettext("Experiment"),
        gettext("Goal"),
        gettext("Window in days"),
        gettext("Started"),
        gettext("Stopped"),
        gettext("Planned accounts"),
        gettext("Treated with outcome"),
        gettext("Treated that reached the goal"),
        gettext("Held out with outcome"),
        gettext("Held out that reached the goal"),
        gettext("Difference"),
        gettext("Low"),
        gettext("High"),
        gettext("Verdict"),
    ]
    rows: list[list[object]] = []
    for row in listing(state, size=MOST_ROWS).rows:
        experiment, result, lift = row.experiment, row.result, row.result.lift
        rows.append(
            [
                experiment.name,
                experiment.get_outcome_display(),
                experiment.window_days,
                experiment.started_at.date(),
                experiment.stopped_at.date() if experiment.stopped_at else "",
                experiment.planned_accounts,
                result.treated.settled,
                result.treated.hits,
                result.control.settled,
                result.control.hits,
                *_difference(lift),
                VERDICT_WORDS[result.verdict],
            ]
        )
    return headers, rows


def _difference(lift: Estimate | None) -> list[object]:
    if lift is None:
        return ["", "", ""]
    return [round(value, 4) for value in (lift.value, lift.interval.low, lift.interval.high)]


def assignments_sheet(experiment: Experiment) -> Sheet:
    """One row per drawn account, in the order of the draw, so that anybody can check the figures."""
    headers = [
        gettext("Account id"),
        gettext("Account"),
        gettext("Group"),
        gettext("Stratum"),
        gettext("Drawn"),
        gettext("Window ends"),
        gettext("Reached"),
        gettext("Outcome"),
        gettext("ARR before"),
        gettext("ARR after"),
        gettext("Currency"),
    ]
    drawn = Assignment.objects.filter(experiment=experiment).select_related("account", "variant", "outcome")
    rows: list[list[object]] = []
    for row in drawn.prefetch_related("exposures").order_by("assigned_at", "pk"):
        outcome, exposed = row.outcome, list(row.exposures.all())
        rows.append(
            [
                row.account.external_id,
                row.account.name,
                gettext("held out") if row.variant.is_holdout else gettext("treated"),
                stratum_words(row.stratum),
                row.assigned_at.isoformat(),
                row.ends_at.isoformat(),
                exposed[0].exposed_at.isoformat() if exposed else "",
                outcome.get_kind_display() if outcome.settled_at else "",
                *_money(outcome),
                outcome.currency,
            ]
        )
    return headers, rows


def _money(outcome: Outcome) -> list[object]:
    if outcome.arr_before_minor is None or outcome.arr_after_minor is None:
        return ["", ""]
    return [
        to_major(value, outcome.currency) for value in (outcome.arr_before_minor, outcome.arr_after_minor)
    ]
