"""The rows that addresses of `health` can name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import Account, Membership
from health.models import (
    ActionReceipt,
    AssignmentRule,
    Experiment,
    ModelVersion,
    NightRun,
    Scorecard,
    ScorecardVersion,
    Sequence,
    SequenceRun,
    SequenceVersion,
)
from tests.builders import TODAY

OPEN: dict[str, str] = {}
KINDS = {
    "account": ("queue_account",),
    "receipt": ("queue_undo",),
    "card": ("scorecard", "scorecard_draft_discard"),
    "version": ("scorecard_rollback",),
    "model": ("model_version", "model_go_live", "model_retire"),
    "night": ("run", "run_progress"),
    "experiment": ("experiment", "experiment_export", "experiment_stop"),
    "playbook": (
        "playbook",
        "playbook_edit",
        "playbook_preview",
        "playbook_preview_export",
        "playbook_publish",
        "playbook_draft_discard",
        "playbook_pause",
        "playbook_release",
        "playbook_archive",
    ),
    "playbook_version": ("playbook_rollback",),
    "playbook_run": ("playbook_run", "playbook_run_exit", "playbook_run_pause", "playbook_run_resume"),
    "assignment_rule": ("assignment_rule", "assignment_rule_moves"),
    "doomed_rule": ("assignment_rule_deletions",),
}
FRAMES: set[str] = set()
KEPT = (ScorecardVersion, ModelVersion)


def rows(account: Account, member: Membership, now: datetime) -> dict[str, Any]:
    """One live row of each kind, by the name that `KINDS` uses; made in the running scope."""
    card = Scorecard.objects.get()
    return {
        "receipt": ActionReceipt.objects.create(
            verb="snoozed", acted_at=now, data={"accounts": []}, accounts=0
        ),
        "card": card,
        "version": ScorecardVersion.objects.get(scorecard=card),
        "model": ModelVersion.objects.create(number=1, horizon_days=90, trained_as_of=TODAY, record={}),
        "night": NightRun.objects.create(as_of=TODAY),
        "experiment": Experiment.objects.create(
            subject_type="sequence",
            subject_id=1,
            name="secret",
            outcome="retained",
            window_days=90,
            planned_accounts=400,
            plan={"base_rate": 0.8, "detectable": 0.1},
            started_at=now,
        ),
        **playbook_rows(account, now),
        **assignment_rows(),
    }


def assignment_rows() -> dict[str, Any]:
    rule = {"field": "name", "op": "contains", "value": "secret"}
    return {
        "assignment_rule": AssignmentRule.objects.create(name="secret", tree=rule),
        "doomed_rule": AssignmentRule.objects.create(name="secret too"),
    }


def playbook_rows(account: Account, now: datetime) -> dict[str, Any]:
    definition = {
        "trigger": {"on": "hand"},
        "steps": [{"id": "a", "kind": "wait", "amount": 1, "unit": "days"}],
    }
    sequence = Sequence.objects.create(name="secret")
    version = SequenceVersion.objects.create(
        sequence=sequence, number=1, definition=definition, published_at=now
    )
    run = SequenceRun.objects.create(
        sequence=sequence, version=version, account=account, source="hand:1", started_at=now
    )
    return {"playbook": sequence, "playbook_version": version, "playbook_run": run}
