"""The kinds of work that this app does in the background."""

from __future__ import annotations

from datetime import timedelta

from accounts.registry import JobKind, WorkspaceDefault, job_kinds, workspace_defaults
from accounts.services.jobs import Lease
from accounts.signals import time_zone_changed
from health.defaults import create_defaults
from health.services import nights
from health.services.fold import refold_everything, run_fold_job
from health.services.fold_requests import FOLD, request_fold
from health.services.scorecards import RESCORE_JOB


def _train(lease: Lease) -> None:
    from health.services.training_runs import train_by_job

    train_by_job(lease)


def _rescore(workspace_id: int) -> None:
    from health.services.rescoring import rescore

    rescore(workspace_id)


def _refold(workspace_id: int) -> None:
    """Days are cut by the workspace's zone: after a new one, all of them are counted again."""
    refold_everything()
    request_fold()


def _at_once(account_id: int) -> None:
    from health.services.at_once import run

    run(account_id)


def register() -> None:
    job_kinds.register(JobKind(FOLD, run_fold_job, in_scope=False, lease=timedelta(minutes=5)))
    job_kinds.register(JobKind(nights.STAGE_JOB, nights.run_stage, in_scope=False))
    job_kinds.register(JobKind("health.train", _train, in_scope=False, max_attempts=3))
    job_kinds.register(JobKind(RESCORE_JOB, _rescore, lease=timedelta(minutes=10), max_attempts=3))
    job_kinds.register(JobKind("health.refold", _refold))
    job_kinds.register(JobKind("health.at_once", _at_once, is_prepared=True))
    time_zone_changed.connect("health.refold")
    workspace_defaults.register(WorkspaceDefault("health", create_defaults))
