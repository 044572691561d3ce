"""What sequences owe to experiments: drawn before anyone begins, shown once something reached the account."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from datetime import datetime

from accounts.models import User
from health.models import HOLDOUT, Goal, Sequence, SequenceRun
from health.queries.sequence_candidates import SUBJECT
from health.sequences.definition import SequenceDefinition
from health.services.experiments import (
    draw,
    exclude,
    expose,
    running_experiment,
    start_experiment,
    stop_experiment,
)


def set_up_holdout(
    sequence: Sequence, definition: SequenceDefinition, *, acting_user: User | None, now: datetime
) -> None:
    """An experiment for what begins by itself; none for what only people begin, they choose whom.

    Raises ExperimentRefused with words for the person who publishes.
    """
    running = running_experiment(SUBJECT, sequence.pk)
    wanted = definition.holdout_percent > 0 and definition.trigger.on != "hand"
    if running and not wanted:
        stop_experiment(experiment=running, acting_user=acting_user, now=now)
    if wanted and not running:
        start_experiment(
            subject_type=SUBJECT,
            subject_id=sequence.pk,
            name=sequence.name,
            holdout_share=definition.holdout_percent / 100,
            outcome=Goal.RETAINED,
            window_days=definition.window_days,
            acting_user=acting_user,
            now=now,
        )


def without_held_out(sequence: Sequence, account_ids: Rows[int], *, now: datetime) -> set[int]:
    """Draw for accounts at the door; returns those who may begin. In the transaction that begins them."""
    experiment = running_experiment(SUBJECT, sequence.pk)
    if experiment is None:
        return set(account_ids)
    arms = draw(experiment=experiment, account_ids=list(account_ids), now=now)
    return {pk for pk in account_ids if arms.get(pk) != HOLDOUT}


def leave_out_of_test(sequence: Sequence, account_id: int, *, now: datetime) -> None:
    """A person chose this account: no chance decided, so it says nothing about the playbook."""
    experiment = running_experiment(SUBJECT, sequence.pk)
    if experiment is not None:
        exclude(experiment=experiment, account_id=account_id, reason="begun by hand", now=now)


def note_exposure(run: SequenceRun, *, now: datetime) -> None:
    """A step with an effect has reached the account."""
    experiment = running_experiment(SUBJECT, run.sequence_id)
    if experiment is not None:
        expose(experiment=experiment, account_id=run.account_id, now=now)
