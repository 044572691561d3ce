"""Outcomes: what became of an account after a window, settled once, when the window is over."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import connection, transaction

from accounts.models import Workspace
from cs_platform.lib.periods import day_start
from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.shards import ALL, Shard
from health.models import Assignment, Experiment, Outcome, StopReason
from health.queries.outcome_facts import outcome_facts
from health.services.experiments import stop_experiment


@transaction.atomic
def await_outcome(
    *, account_id: int, source_type: str, source_id: int, window_days: int, now: datetime
) -> None:
    """Have the night settle what became of the account `window_days` after `now`; once per source."""
    Outcome.objects.get_or_create(
        source_type=source_type,
        source_id=source_id,
        defaults={
            "account_id": account_id,
            "began_at": now,
            "ends_at": now + timedelta(days=window_days),
        },
    )


@transaction.atomic
def settle_outcomes(*, as_of: date, now: datetime, shard: Shard = ALL) -> int:
    """Settle every outcome of the shard whose window was over at the first instant of `as_of`.

    Facts known before that instant only; a settled outcome is never settled again. Returns how many were.
    """
    workspace = Workspace.objects.get(pk=current_workspace_id())
    instant = day_start(as_of, workspace.zone)
    periods = f"""
        SELECT id, account_id, began_at, ends_at FROM health_outcome
        WHERE workspace_id = %(workspace)s AND settled_at IS NULL AND ends_at <= %(known_before)s
            AND {shard.sql("account_id")}"""
    with_clause, select, params = outcome_facts(periods, known_before=instant)
    with connection.cursor() as cursor:
        cursor.execute(
            f"{with_clause}, facts AS MATERIALIZED ({select})"
            " UPDATE health_outcome o SET kind = f.kind, arr_before_minor = f.arr_before,"
            " arr_after_minor = f.arr_after, currency = %(currency)s, settled_at = greatest(%(now)s, o.ends_at)"
            " FROM facts f WHERE o.workspace_id = %(workspace)s AND o.id = f.id AND o.settled_at IS NULL",
            {**params, "currency": workspace.report_currency, "now": now},
        )
        settled = int(cursor.rowcount)
    _stop_complete(now)
    return settled


def _stop_complete(now: datetime) -> None:
    """Stop the experiments whose whole plan is drawn and settled: the answer stands and is not moved any more."""
    for experiment in Experiment.objects.filter(stopped_at__isnull=True).order_by("pk"):
        drawn = Assignment.objects.filter(experiment=experiment)
        if drawn.count() < experiment.planned_accounts:
            continue
        if not drawn.filter(outcome__settled_at__isnull=True).exists():
            stop_experiment(experiment=experiment, acting_user=None, now=now, reason=StopReason.COMPLETE)
