"""`manage.py simulate`: a believable SaaS business in a workspace."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from accounts.management.base import ReportingCommand, find_workspace
from accounts.models import Workspace
from cs_platform.lib.periods import local_day
from health.services.simulation.writing import OtherSimulation, Written, write_business
from health.simulation import SimulationSpec


class Command(ReportingCommand):
    help = "Writes a simulated business into a workspace. Running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--accounts", type=int, default=500)
        parser.add_argument("--days", type=int, default=365)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--end", type=date.fromisoformat, help="first day after it (default: today)")
        parser.add_argument("--events-per-account-day", type=float, default=4.0, metavar="N")
        parser.add_argument("--truth", type=Path, metavar="FILE", help="write the true probabilities here")
        parser.add_argument("--truth-as-of", type=date.fromisoformat, metavar="DATE", help="default: the end")

    def run(self, *, workspace: str, **options: Any) -> dict[str, Any]:
        tenant = find_workspace(workspace)
        try:
            written = self._write(tenant, options)
            truth = write_truth(written, tenant, options) if options["truth"] else None
        except (OtherSimulation, ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        return summary(tenant, written, truth)

    def _write(self, tenant: Workspace, options: dict[str, Any]) -> Written:
        spec = SimulationSpec(
            end=options["end"] or local_day(timezone.now(), tenant.zone),
            accounts=options["accounts"],
            days=options["days"],
            seed=options["seed"],
            events_per_account_day=options["events_per_account_day"],
        )
        return write_business(workspace=tenant, spec=spec, acting_user=None, progress=self._say)

    def _say(self, part: str, rows: int, existed: bool) -> None:
        self.progress(f"{part}: {rows} rows{' (there already)' if existed else ''}")


def write_truth(written: Written, workspace: Workspace, options: dict[str, Any]) -> int:
    """Write the file of true probabilities; returns the number of accounts in it."""
    as_of = options["truth_as_of"] or written.business.spec.end
    return written.business.write_truth(options["truth"], as_of, workspace.horizon_days)


def summary(workspace: Workspace, written: Written, truth: int | None) -> dict[str, Any]:
    """What the command did."""
    spec = written.business.spec
    return {
        "workspace": workspace.slug,
        "start": spec.start.isoformat(),
        "end": spec.end.isoformat(),
        "written": written.rows,
        "existed": written.existed,
        "truth_accounts": truth,
    }
