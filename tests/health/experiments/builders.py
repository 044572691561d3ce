"""Experiments and their subjects for tests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from accounts.models import Account
from health.models import AccountState, Assignment, Experiment, Outcome
from health.registry import ExperimentSubject, SubjectWords, experiment_subjects
from health.services.experiments import start_experiment
from tests.builders import NOW, TODAY

PLAYBOOK, NOTICE = "test.playbook", "test.notice"


@contextmanager
def subjects() -> Iterator[None]:
    """Two kinds of subject: one that may hold out, and a notice that everybody must get."""
    own = {
        PLAYBOOK: ExperimentSubject(
            PLAYBOOK, "Playbook", lambda pk: SubjectWords(f"Play {pk}"), lambda pk: ()
        ),
        NOTICE: ExperimentSubject(NOTICE, "Notice", lambda pk: SubjectWords("Notice"), lambda pk: ("legal",)),
    }
    for subject in own.values():
        experiment_subjects.register(subject)
    try:
        yield
    finally:
        for name in own:
            del experiment_subjects._items[name]


def start(**options: Any) -> Experiment:
    values = {
        "subject_type": PLAYBOOK,
        "subject_id": 1,
        "name": "Call quiet accounts",
        "holdout_share": 0.1,
        "outcome": "retained",
        "window_days": 30,
        "acting_user": None,
        "now": NOW,
        "planned_accounts": 400,
        **options,
    }
    return start_experiment(**values)


def accounts(number: int, *, band: str = "red", arr_minor: int = 1_000_000, prefix: str = "A") -> list[int]:
    """Ids of new accounts whose last night left them in this band with this ARR."""
    made = Account.objects.bulk_create(
        Account(external_id=f"{prefix}{n}", name=f"{prefix}{n}", created_at=NOW) for n in range(number)
    )
    AccountState.objects.bulk_create(
        AccountState(
            account=account,
            as_of=TODAY,
            is_customer=True,
            name=account.name,
            arr_minor=arr_minor,
            currency="USD",
            health_band=band,
        )
        for account in made
    )
    return [account.pk for account in made]


def told(*, treated: tuple[int, int], control: tuple[int, int], days: int = 10, **options: Any) -> Experiment:
    """An experiment whose windows are over: (reached the goal, all) of each arm, the rest churned.

    Written row by row, so that the figures are exact; the draw has its own tests.
    """
    number = treated[1] + control[1]
    began = NOW - timedelta(days=120)
    options = {"planned_accounts": max(number, 100), **options}
    experiment = start(now=began, **options)
    arms = {variant.name: variant for variant in experiment.variants.all()}
    plan = [("treatment", n < treated[0]) for n in range(treated[1])]
    plan += [("holdout", n < control[0]) for n in range(control[1])]
    random.Random(7).shuffle(plan)
    ids = accounts(number, prefix=f"x{experiment.pk}-")
    for place, (account_id, (arm, is_hit)) in enumerate(zip(ids, plan, strict=True)):
        at = began + timedelta(days=place * days // number)
        values = {"account_id": account_id, "ends_at": at + timedelta(days=30)}
        row = Assignment.objects.create(
            experiment=experiment,
            variant=arms[arm],
            stratum="red:1",
            position=place,
            assigned_at=at,
            **values,
        )
        Outcome.objects.create(
            source_type="health.assignment",
            source_id=row.pk,
            assignment=row,
            began_at=at,
            kind="expanded" if is_hit else "churned",
            arr_before_minor=1_000_000,
            arr_after_minor=1_100_000 if is_hit else 0,
            currency="USD",
            settled_at=values["ends_at"] + timedelta(hours=6),
            **values,
        )
    return experiment
