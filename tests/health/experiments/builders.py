"""Experiments and their subjects for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from accounts.models import Account
from health.models import AccountState, Experiment
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
