"""Commands meant for people: readable by default, one JSON object with `--json`, errors included."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from accounts.models import User, Workspace


class Failure(CommandError):
    """A CommandError with a code that scripts can rely on; `more` is added to the JSON answer."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.more = {"code": code, **more}


class ReportingCommand(BaseCommand):
    """`run` returns the results as a JSON-safe dict; progress belongs on standard error."""

    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if "--json" in sys.argv:  # then a wrong argument is answered in JSON too, see run_from_argv
            parser.called_from_command_line = False
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except CommandError as error:
            self._fail(error, str(error))
            sys.exit(2)

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
        except (CommandError, ValidationError, OperationalError) as error:
            message = _message(error)
            if not as_json:
                raise CommandError(message) from error
            self._fail(error, message)
            sys.exit(1)
        if as_json:
            self.stdout.write(json.dumps(result, ensure_ascii=False, default=str))
        else:
            self.report(result)

    def _fail(self, error: Exception, message: str) -> None:
        answer = {"error": message, **getattr(error, "more", {})}
        self.stdout.write(json.dumps(answer, ensure_ascii=False, default=str))

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


def _message(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(error.messages)
    if isinstance(error, OperationalError):
        return f"The database did not answer ({error}). Nothing unfinished was kept; run the command again."
    return str(error)


def find_user(email: str | None) -> User | None:
    """The user in whose name a command runs; None (the system) without an address."""
    if not email:
        return None
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        raise Failure("no_user", f"There is no user {email!r}.")
    return user
