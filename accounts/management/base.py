"""Commands meant for people: readable by default, one JSON object with `--json`, errors included."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Workspace


class ReportingCommand(BaseCommand):
    """`run` returns the results as a JSON-safe dict; progress belongs on standard error."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object with the results")

    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        """The command's work; raise CommandError with what happened and what to do."""
        raise CommandError(f"{type(self).__module__} does nothing")

    def report(self, result: dict[str, Any]) -> None:
        """The readable form of the results."""
        for key, value in result.items():
            self.stdout.write(f"{key}: {value}")

    def handle(self, *args: Any, **options: Any) -> None:
        as_json = options.pop("json")
        try:
            result = self.run(**options)
        except (CommandError, ValidationError) as error:
            message = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            if not as_json:
                raise CommandError(message) from error
            self.stdout.write(json.dumps({"error": message}, ensure_ascii=False))
            sys.exit(1)
        if as_json:
            self.stdout.write(json.dumps(result, ensure_ascii=False, default=str))
        else:
            self.report(result)

    def progress(self, line: str) -> None:
        self.stderr.write(line)
        self.stderr.flush()


def find_workspace(slug: str) -> Workspace:
    """The workspace with this slug, or an error that lists what there is."""
    workspace = Workspace.objects.filter(slug=slug).first()
    if workspace is None:
        known = (
            ", ".join(Workspace.objects.order_by("slug").values_list("slug", flat=True)[:10]) or "none yet"
        )
        raise CommandError(
            f"There is no workspace {slug!r} (there are: {known}). Create one with create_workspace."
        )
    return workspace
