"""`manage.py create_workspace`: a workspace and its owner."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.core.validators import validate_email
from django.db import transaction

from accounts.management.base import Failure, ReportingCommand
from accounts.models import User, Workspace
from accounts.services.workspaces import create_workspace


class Command(ReportingCommand):
    help = "Create a workspace. An owner who is new gets a password, shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", help="short name for addresses and commands, such as acme")
        parser.add_argument("--name", help="as people read it (default: the slug)")
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--time-zone", default="UTC", metavar="TZ", help="such as Europe/Berlin")
        parser.add_argument("--language", default="en", choices=["en", "ko"])
        parser.add_argument(
            "--horizon-days", type=int, default=90, metavar="N", help="how far churn is predicted"
        )
        parser.add_argument(
            "--currency", default="USD", metavar="CODE", help="of reports, and of files that name none"
        )

    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        email = options["owner"].strip().lower()
        try:
            validate_email(email)
        except ValidationError:
            raise Failure("invalid", f"“{email}” is not a mail address.") from None
        if Workspace.objects.filter(slug=options["slug"]).exists():
            raise Failure("exists", f"There is already a workspace “{options['slug']}”.")
        with transaction.atomic():
            return self._create(email, options)

    def _create(self, email: str, options: dict[str, Any]) -> dict[str, Any]:
        owner = User.objects.filter(email__iexact=email).first()
        password = None if owner else secrets.token_urlsafe(12)
        if owner is None:
            owner = User.objects.create_user(email, password, language=options["language"])
        workspace = create_workspace(
            slug=options["slug"],
            name=options["name"] or options["slug"],
            owner=owner,
            acting_user=None,
            time_zone=options["time_zone"],
            language=options["language"],
            horizon_days=options["horizon_days"],
            report_currency=options["currency"].upper(),
        )
        return {
            "slug": workspace.slug,
            "public_id": str(workspace.public_id),
            "owner": owner.email,
            "password": password,
        }

    def report(self, result: dict[str, Any]) -> None:
        for line in _lines(result):
            self.stdout.write(line)


def _lines(result: dict[str, Any]) -> list[str]:
    found = [f"workspace {result['slug']}"]
    if result["password"]:
        found.append(f"login owner {result['owner']} {result['password']}")
    return found
