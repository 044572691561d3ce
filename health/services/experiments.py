"""Holdout tests: started with a plan, drawn before anyone acts, stopped once.

A draw runs in the transaction of the motion that is about to act. It locks the experiment, so that two
draws at once go one after the other; the unique keys of Assignment hold even without the lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext

from accounts.models import User
from accounts.services.audit import audit
from cs_platform.lib.permuted_blocks import arm_at, quotas, shuffled
from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.trial_plans import detectable
from cs_platform.lib.trials import ALPHA, MIN_CONTROL, POWER
from health.models import (
    HOLDOUT,
    TREATMENT,
    AccountState,
    Assignment,
    Exclusion,
    Experiment,
    Exposure,
    Goal,
    Outcome,
    StopReason,
    Variant,
)
from health.queries.base_rates import base_rate
from health.registry import NEVER_HELD_OUT, experiment_subjects

ASSIGNMENT = "health.assignment"
DEFAULT_ACCOUNTS = 400


class ExperimentRefused(ValueError):
    """Why an experiment cannot start, in words for the person who asked."""


@transaction.atomic
def start_experiment(
    *,
    subject_type: str,
    subject_id: int,
    name: str,
    holdout_share: float,
    outcome: str,
    window_days: int,
    acting_user: User | None,
    now: datetime,
    planned_accounts: int = DEFAULT_ACCOUNTS,
) -> Experiment:
    """Fix the plan and open the draw. Raises ExperimentRefused; a running one of the subject stays as it is.

    `planned_accounts` counts both groups; when so many are drawn, the draw is closed.
    """
    _check(subject_type, subject_id, holdout_share, outcome, window_days, planned_accounts)
    held_out, block = quotas(holdout_share)
    known = base_rate(outcome=outcome, window_days=window_days, now=now)
    experiment = Experiment.objects.create(
        subject_type=subject_type,
        subject_id=subject_id,
        name=name,
        outcome=outcome,
        window_days=window_days,
        planned_accounts=planned_accounts,
        plan={
            "base_rate": known.rate,
            "base_accounts": known.accounts,
            "alpha": ALPHA,
            "power": POWER,
            "detectable": detectable(
                accounts=planned_accounts, holdout_share=held_out / block, base_rate=known.rate
            ),
        },
        arr_edges=_arr_edges(),
        started_by=acting_user,
        started_at=now,
    )
    Variant.objects.create(experiment=experiment, name=TREATMENT, quota=block - held_out, block=block)
    Variant.objects.create(experiment=experiment, name=HOLDOUT, quota=held_out, block=block, is_holdout=True)
    audit("health.experiment.started", acting_user=acting_user, target=experiment, accounts=planned_accounts)
    return experiment


def _check(
    subject_type: str, subject_id: int, share: float, outcome: str, window_days: int, planned: int
) -> None:
    subject = experiment_subjects.get(subject_type)
    kept = [str(NEVER_HELD_OUT[duty]) for duty in subject.duties(subject_id) if duty in NEVER_HELD_OUT]
    if kept:
        raise ExperimentRefused(
            gettext("Nobody may be held out of this, because it sends: %(what)s.") % {"what": ", ".join(kept)}
        )
    if outcome not in Goal.values:
        raise ExperimentRefused(gettext("This outcome is not known."))
    if not 1 <= window_days <= 730:
        raise ExperimentRefused(gettext("The window is between 1 and 730 days."))
    if not 0.05 <= share <= 0.5:
        raise ExperimentRefused(gettext("The holdout share is between 5 % and 50 %."))
    if planned * share < MIN_CONTROL:
        raise ExperimentRefused(
            gettext("Plan at least %(n)d accounts, so that %(held)d are held out.")
            % {"n": -(-MIN_CONTROL // share), "held": MIN_CONTROL}
        )
    if running_experiment(subject_type, subject_id):
        raise ExperimentRefused(gettext("An experiment is running already. Stop it first."))


def running_experiment(subject_type: str, subject_id: int) -> Experiment | None:
    """The experiment of the subject that is not stopped, or None."""
    rows = Experiment.objects.filter(subject_type=subject_type, subject_id=subject_id)
    found: Experiment | None = rows.filter(stopped_at__isnull=True).first()
    return found


@transaction.atomic
def draw(
    *,
    experiment: Experiment,
    account_ids: Sequence[int],
    now: datetime,
    strata: Mapping[int, str] | None = None,
) -> dict[int, str]:
    """Who gets what is tested ("treatment") and who is held out ("holdout"). Call it before anyone acts.

    Drawn once: an account drawn before has its old answer until its window is over. Accounts that are
    absent from the answer take no part (excluded, window over, draw closed, experiment stopped): treat them.
    `strata` replaces those of the last night when a past is told again.
    """
    locked = Experiment.objects.select_for_update().get(pk=experiment.pk)
    if not locked.is_running or not account_ids:
        return {}
    asked = set(account_ids)
    rows = Assignment.objects.filter(experiment=locked, account_id__in=asked)
    drawn = {a.account_id: a for a in rows.select_related("variant")}
    answer = {pk: a.variant.name for pk, a in drawn.items() if a.ends_at > now}
    excluded = Exclusion.objects.filter(experiment=locked, account_id__in=asked)
    fresh = shuffled(locked.seed, asked - set(drawn) - set(excluded.values_list("account_id", flat=True)))
    room = max(locked.planned_accounts - Assignment.objects.filter(experiment=locked).count(), 0)
    chosen = fresh[:room]
    return answer | _assign(locked, chosen, strata or _strata(locked, chosen), now)


def _assign(
    experiment: Experiment, account_ids: list[int], strata: Mapping[int, str], now: datetime
) -> dict[int, str]:
    if not account_ids:
        return {}
    variants = {v.name: v for v in experiment.variants.order_by("pk")}
    arms = [(v.name, v.quota) for v in variants.values()]
    last = _last_positions(experiment)
    ends_at = now + timedelta(days=experiment.window_days)
    made: list[Assignment] = []
    for account_id in account_ids:
        where = strata[account_id]
        position = last[where] = last.get(where, -1) + 1
        made.append(
            Assignment(
                experiment=experiment,
                account_id=account_id,
                variant=variants[arm_at(experiment.seed, where, position, arms)],
                stratum=where,
                position=position,
                assigned_at=now,
                ends_at=ends_at,
            )
        )
    Assignment.objects.bulk_create(made, batch_size=2000)
    Outcome.objects.bulk_create([_waiting(row) for row in made], batch_size=2000)
    return {row.account_id: row.variant.name for row in made}


def _waiting(row: Assignment) -> Outcome:
    return Outcome(
        account_id=row.account_id,
        source_type=ASSIGNMENT,
        source_id=row.pk,
        assignment=row,
        began_at=row.assigned_at,
        ends_at=row.ends_at,
    )


def _last_positions(experiment: Experiment) -> dict[str, int]:
    rows = Assignment.objects.filter(experiment=experiment).order_by().values("stratum")
    return dict(rows.annotate(last=Max("position")).values_list("stratum", "last"))


def _strata(experiment: Experiment, account_ids: list[int]) -> dict[int, str]:
    """The stratum of each account as the last night left it."""
    rows = AccountState.objects.filter(account_id__in=account_ids)
    known = {pk: (band, arr) for pk, band, arr in rows.values_list("account_id", "health_band", "arr_minor")}
    return {pk: stratum(*known.get(pk, ("", 0)), experiment.arr_edges) for pk in account_ids}


def stratum(band: str, arr_minor: float, arr_edges: Sequence[float]) -> str:
    """Band and third of the ARR: "red:3" is red with large ARR."""
    return f"{band or 'none'}:{1 + sum(arr_minor > edge for edge in arr_edges)}"


def _arr_edges() -> list[int]:
    """The two edges that cut the customers' ARR in thirds; none while nobody pays."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT percentile_disc(ARRAY[1.0 / 3, 2.0 / 3]) WITHIN GROUP (ORDER BY arr_minor)"
            " FROM health_accountstate WHERE workspace_id = %s AND is_customer AND arr_minor > 0",
            [current_workspace_id()],
        )
        return list(cursor.fetchone()[0] or [])


@transaction.atomic
def expose(*, experiment: Experiment, account_id: int, now: datetime) -> None:
    """Note that what is tested reached the account; the first time counts. Unassigned accounts are ignored."""
    assignment = Assignment.objects.filter(experiment=experiment, account_id=account_id).first()
    if assignment is not None:
        Exposure.objects.get_or_create(assignment=assignment, defaults={"exposed_at": now})


@transaction.atomic
def exclude(*, experiment: Experiment, account_id: int, reason: str, now: datetime) -> bool:
    """Keep an account out of the draw, with the reason. False if it is drawn already: then it stays counted."""
    Experiment.objects.select_for_update().get(pk=experiment.pk)
    if Assignment.objects.filter(experiment=experiment, account_id=account_id).exists():
        return False
    Exclusion.objects.get_or_create(
        experiment=experiment, account_id=account_id, defaults={"reason": reason[:200], "excluded_at": now}
    )
    return True


@transaction.atomic
def stop_experiment(
    *, experiment: Experiment, acting_user: User | None, now: datetime, reason: str = StopReason.BY_HAND
) -> bool:
    """End the draw and release who is held out. False if it was stopped before.

    What was drawn stays counted where its window is over by now; the rest is not (nobody waited for it).
    """
    rows = Experiment.objects.filter(pk=experiment.pk, stopped_at__isnull=True)
    if not rows.update(stopped_at=now, stopped_by=acting_user, stop_reason=reason):
        return False
    audit("health.experiment.stopped", acting_user=acting_user, target=experiment, reason=str(reason))
    experiment.refresh_from_db()
    return True
