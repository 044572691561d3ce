"""`manage.py simulate`: a believable SaaS business in a workspace."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import Workspace
from cs_platform.lib.periods import local_day
from health.services.simulation.writing import OtherSimulation, Written, write_business
from health.simulation import SimulationSpec


class Command(BaseCommand):
    help = "Write a simulated business into a workspace. Running it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--accounts", type=int, default=500)
        parser.add_argument("--days", type=int, default=365)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--end", type=date.fromisoformat, help="first day after it (default: today)")
        parser.add_argument("--events-per-account-day", type=float, default=4.0, metavar="N")
        parser.add_argument(
            "--truth", type=Path, metavar="FILE", help="write the true churn probabilities here"
        )
        parser.add_argument("--truth-as-of", type=date.fromisoformat, metavar="DATE", help="default: the end")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            workspace, written = self._write(options)
            truth = write_truth(written, workspace, options) if options["truth"] else None
        except (CommandError, OtherSimulation, ValueError, OSError) as error:
            if not options["as_json"]:
                raise CommandError(str(error)) from error
            self.stdout.write(json.dumps({"error": str(error)}))
            sys.exit(1)
        if options["as_json"]:
            self.stdout.write(json.dumps(report(workspace, written, truth)))

    def _write(self, options: dict[str, Any]) -> tuple[Workspace, Written]:
        workspace = Workspace.objects.filter(slug=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"There is no workspace '{options['workspace']}'.")
        spec = SimulationSpec(
            end=options["end"] or local_day(timezone.now(), workspace.zone),
            accounts=options["accounts"],
            days=options["days"],
            seed=options["seed"],
            events_per_account_day=options["events_per_account_day"],
        )
        progress = (lambda *_: None) if options["as_json"] else self._say
        return workspace, write_business(workspace=workspace, spec=spec, acting_user=None, progress=progress)

    def _say(self, part: str, rows: int, existed: bool) -> None:
        self.stdout.write(f"{part:14}{rows:>10,}{'  (was there)' if existed else ''}")
        self.stdout.flush()


def write_truth(written: Written, workspace: Workspace, options: dict[str, Any]) -> int:
    """Write the file of true probabilities; returns the number of accounts in it."""
    as_of = options["truth_as_of"] or written.business.spec.end
    return written.business.write_truth(options["truth"], as_of, workspace.horizon_days)


def report(workspace: Workspace, written: Written, truth: int | None) -> dict[str, Any]:
    """What the command did, for `--json`."""
    spec = written.business.spec
    return {
        "workspace": workspace.slug,
        "start": spec.start.isoformat(),
        "end": spec.end.isoformat(),
        "written": written.rows,
        "existed": written.existed,
        "truth_accounts": truth,
    }
