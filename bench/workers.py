"""Prefork workers that do a night's jobs, as Celery's do, without the broker's part."""

from __future__ import annotations

import multiprocessing
import time
from atexit import register

from django.db import connections

from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from health.models import NightRun, RunStatus
from health.services.nights import STAGE_JOB

WORKERS = 4


class Workers:
    """Forked once; connections are closed before, since two processes must not share one."""

    def __init__(self) -> None:
        connections.close_all()
        self._pool = multiprocessing.get_context("fork").Pool(WORKERS)
        register(self._pool.terminate)
        self._pool.map(_warm, range(WORKERS))

    def finish(self, workspace_id: int, night_id: int) -> None:
        """Return once the night is done."""
        self._pool.starmap(_work, [(workspace_id, night_id)] * WORKERS, chunksize=1)


def _warm(_number: int) -> None:
    """Import what a worker that has run a night before has imported."""
    from health.ml import load, top_reasons  # noqa: F401
    from health.services import predictions, queue, risks, scores, snapshots, states  # noqa: F401

    time.sleep(0.2)  # so that each worker takes one of these


def _work(workspace_id: int, night_id: int) -> None:
    while True:
        if run_due_jobs(limit=1, kind=STAGE_JOB, workspace_id=workspace_id):
            continue
        with workspace_scope(workspace_id):
            if NightRun.objects.get(pk=night_id).status == RunStatus.DONE:
                return
        time.sleep(0.005)
