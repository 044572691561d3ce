"""`manage.py seed_demo`: the workspace `demo` with its people, a simulated year, a model and a night."""

from __future__ import annotations

import time
from datetime import date
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.management.base import ReportingCommand
from accounts.models import User, Workspace
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import workspace_scope
from health.registry import demo_parts
from health.services import demo
from health.services.demo_experiments import rehearse
from health.services.demo_playbooks import write_demo_playbooks
from health.services.demo_segments import create_demo_segments


class Command(ReportingCommand):
    help = "Fills the demo workspace. Running it again changes nothing; a killed run goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--prepare", action="store_true", help="only the workspace and its users")
        parser.add_argument("--accounts", type=int, default=500)
        parser.add_argument("--days", type=int, default=365)

    def run(self, *, prepare: bool, accounts: int, days: int, **_: Any) -> dict[str, Any]:
        workspace = demo.prepare_demo_workspace()
        if prepare:
            for person in demo.logins():
                self.stdout.write(f"login {person.role} {person.email} {person.password}")
            return {}
        if demo.is_complete(workspace):
            return self._go_on(workspace)
        started = time.monotonic()
        say = self._stopwatch(started)
        as_of = demo.write_year(workspace, now=timezone.now(), say=say, accounts=accounts, days=days)
        for part in demo_parts:
            part.write(workspace, timezone.now(), say)
        # A first night without a model fills the queue early; the second one adds the probabilities.
        self._night(workspace.slug, as_of)
        demo.learn(workspace, as_of, say=say)
        with workspace_scope(workspace.pk):
            say(f"segments: {create_demo_segments(now=timezone.now(), as_of=as_of)}")
        self._night(workspace.slug, as_of)
        with workspace_scope(workspace.pk):
            admin = User.objects.get(email=demo.PEOPLE[1].email)
            say(f"playbooks: {write_demo_playbooks(acting_user=admin, now=timezone.now())} runs")
        say(f"rehearsal: {rehearse(workspace, as_of)} accounts in a finished experiment")
        demo.mark_complete(workspace)
        return {"workspace": workspace.slug, "seconds": round(time.monotonic() - started, 1)}

    def _go_on(self, workspace: Workspace) -> dict[str, Any]:
        """After days without a running platform the night may already have seen silent customers: run it again."""
        now = timezone.now()
        events = demo.continue_demo(now=now)
        if events:
            self._night(workspace.slug, local_day(now, workspace.zone))
        return {"workspace": workspace.slug, "there already": True, "new events": events}

    def _night(self, slug: str, as_of: date) -> None:
        call_command("run_daily", workspace=slug, as_of=as_of, stdout=StringIO(), stderr=self.stderr)

    def _stopwatch(self, started: float) -> demo.Say:
        return lambda line: self.progress(f"{time.monotonic() - started:6.1f} s  {line}")
