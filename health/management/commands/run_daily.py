"""The nightly pipeline in the foreground."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from accounts.management.base import ReportingCommand, find_workspace
from accounts.models import Workspace
from accounts.services.jobs import run_due_jobs
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import workspace_scope
from health.models import NightRun, RunStatus, StageRun
from health.services.nights import STAGE_JOB, STAGES, start_night


class Command(ReportingCommand):
    help = "Runs the nightly pipeline (fold, snapshot, score, predict, state, risk, queue) for one workspace."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--workspace", required=True)
        parser.add_argument(
            "--as-of", type=date.fromisoformat, help="YYYY-MM-DD; default: today in the workspace"
        )

    def run(self, *, workspace: str, as_of: date | None, **_: Any) -> dict[str, Any]:
        tenant = find_workspace(workspace)
        day = as_of or local_day(timezone.now(), tenant.zone)
        with workspace_scope(tenant.pk):
            night = start_night(as_of=day, acting_user=None, again=True)
        self._drive(tenant, night)
        with workspace_scope(tenant.pk):
            return _result(night)

    def _drive(self, tenant: Workspace, night: NightRun) -> None:
        """Do the night's jobs here; where a worker is quicker, watch it."""
        shown = 0
        while True:
            ran = run_due_jobs(limit=1, kind=STAGE_JOB, workspace_id=tenant.pk)
            with workspace_scope(tenant.pk):
                night.refresh_from_db()
                shown = self._show(night, shown)
                failed = StageRun.objects.filter(night=night, status=RunStatus.FAILED).first()
            if night.status == RunStatus.DONE:
                return
            if failed is not None and not ran:
                raise CommandError(
                    f"Stage {failed.stage} failed ({failed.error}); finished stages are kept. The log says why;"
                    " run the command again to go on."
                )
            if not ran:
                time.sleep(0.2)

    def _show(self, night: NightRun, shown: int) -> int:
        done = list(StageRun.objects.filter(night=night, status=RunStatus.DONE).order_by("position", "shard"))
        for row in done[shown:]:
            self.progress(f"{row.position + 1}/{len(STAGES)} {row.stage}: {row.rows} rows in {row.seconds} s")
        return len(done)


def _result(night: NightRun) -> dict[str, Any]:
    stages = StageRun.objects.filter(night=night).order_by("position", "shard")
    return {
        "as_of": night.as_of.isoformat(),
        "status": night.status,
        "seconds": round(sum(row.seconds or 0 for row in stages), 3),
        "rows": night.result,
        "stages": [
            {"stage": r.stage, "shard": r.shard, "rows": r.rows, "seconds": r.seconds} for r in stages
        ],
    }
