"""Train a churn model and let it go live if it is good enough."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from accounts.management.base import ReportingCommand, find_workspace
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import workspace_scope
from health.services.fold import fold_workspace
from health.services.predictions import train

SHOWN = (
    "live",
    "reason",
    "reason_code",
    "roc_auc",
    "roc_auc_low",
    "roc_auc_high",
    "average_precision",
    "top_decile_lift",
    "brier_score",
    "ece",
    "baselines",
    "rows",
    "churned",
    "split",
    "algorithm",
    "window",
    "left_out",
)


class Command(ReportingCommand):
    help = "Trains a churn model on the workspace's history, judges it out of sample and keeps its record."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--workspace", required=True)
        parser.add_argument(
            "--as-of", type=date.fromisoformat, help="YYYY-MM-DD; default: today in the workspace"
        )
        parser.add_argument("--horizon-days", type=int, help="default: the workspace's")

    def run(
        self, *, workspace: str, as_of: date | None, horizon_days: int | None, **_: Any
    ) -> dict[str, Any]:
        tenant = find_workspace(workspace)
        horizon = horizon_days or tenant.horizon_days
        if not 7 <= horizon <= 365:
            raise CommandError("--horizon-days must be between 7 and 365.")
        day = as_of or local_day(timezone.now(), tenant.zone)
        fold_workspace(tenant.pk)  # else the history would be rebuilt without the newest usage, and kept so
        with workspace_scope(tenant.pk):
            version = train(as_of=day, horizon_days=horizon, acting_user=None, progress=self._progress)
        record = {key: version.record.get(key) for key in SHOWN}
        return {"version": version.number, "as_of": day.isoformat(), "horizon_days": horizon, **record}

    def _progress(self, step: str, done: int, total: int) -> None:
        self.progress(f"{step} {done}/{total}")
