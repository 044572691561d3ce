"""`manage.py create_api_key`: a credential for machines, shown once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.management.base import ReportingCommand, find_user, find_workspace
from accounts.models import ApiKey
from accounts.services.workspaces import create_api_key
from cs_platform.lib.scoping import workspace_scope


class Command(ReportingCommand):
    help = "Create an API key. Its secret is not stored: it is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--scope", required=True, choices=ApiKey.Scope.values)
        parser.add_argument("--name", default="", help="what it is for")
        parser.add_argument("--user", metavar="EMAIL", help="in whose name (for the audit log)")

    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        workspace = find_workspace(options["workspace"])
        with workspace_scope(workspace.pk):
            key, credential = create_api_key(
                workspace=workspace,
                scope=options["scope"],
                name=options["name"][:100],
                acting_user=find_user(options["user"]),
            )
        return {
            "key": str(credential),
            "scope": key.scope,
            "public_id": str(key.public_id),
            "workspace": workspace.slug,
        }

    def report(self, result: dict[str, Any]) -> None:
        for line in _lines(result):
            self.stdout.write(line)


def _lines(result: dict[str, Any]) -> list[str]:
    return [result["key"]]
