"""Who gets no middle notices, to measure what they bring. The first and the last one everybody gets."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from django.utils.translation import gettext

from cs_platform.lib.trials import MIN_CONTROL
from dunning.models import DunningPolicy, DunningPolicyVersion
from dunning.policy.definition import PolicyDefinition
from dunning.queries.notice_effect import SUBJECT
from health.models import HOLDOUT, Experiment, Goal
from health.services.experiments import (
    DEFAULT_ACCOUNTS,
    draw,
    expose,
    running_experiment,
    start_experiment,
    stop_experiment,
)

WINDOW_DAYS = 90
LEAST_PERCENT = 5  # less than that says nothing in any time that one would wait


def is_held_out(*, version: DunningPolicyVersion, account_id: int, now: datetime) -> bool:
    """Draw for an account whose case opens, in the transaction that opens it."""
    experiment = _experiment(version, now)
    if experiment is None:
        return False
    return draw(experiment=experiment, account_ids=[account_id], now=now).get(account_id) == HOLDOUT


def note_middle_notice(*, version: DunningPolicyVersion, account_id: int, now: datetime) -> None:
    """What is tested has reached the account."""
    experiment = running_experiment(SUBJECT, version.policy_id)
    if experiment is not None:
        expose(experiment=experiment, account_id=account_id, now=now)


def _experiment(version: DunningPolicyVersion, now: datetime) -> Experiment | None:
    """The running one, begun or ended as the policy's share says."""
    share = PolicyDefinition.of_json(version.definition).holdout_percent
    policy_id = version.policy_id
    running = running_experiment(SUBJECT, policy_id)
    wanted = share >= LEAST_PERCENT
    if bool(running) == wanted:
        return running
    DunningPolicy.objects.select_for_update().get(pk=policy_id)  # two cases at once begin one test
    running = running_experiment(SUBJECT, policy_id)
    if running and not wanted:
        stop_experiment(experiment=running, acting_user=None, now=now)
        return None
    if running or not wanted or _was_tested(version):
        return running
    return start_experiment(
        subject_type=SUBJECT,
        subject_id=policy_id,
        name=gettext("Middle notices of failed payments"),
        holdout_share=share / 100,
        outcome=Goal.RETAINED,
        window_days=WINDOW_DAYS,
        acting_user=None,
        now=now,
        planned_accounts=max(DEFAULT_ACCOUNTS, ceil(MIN_CONTROL * 100 / share)),
    )


def _was_tested(version: DunningPolicyVersion) -> bool:
    """Somebody ended this version's test, or it has its answer: it does not begin again by itself."""
    rows = Experiment.objects.filter(subject_type=SUBJECT, subject_id=version.policy_id)
    return bool(version.published_at and rows.filter(started_at__gte=version.published_at).exists())
