"""`manage.py setup_link`: the address at which the first owner of a fresh installation is made."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.urls import reverse
from django.utils import timezone

from accounts.management.base import Failure, ReportingCommand
from accounts.services.first_run import SetupClosed, new_setup_code


class Command(ReportingCommand):
    help = "Print a link that sets up a fresh installation; valid for a day, and only while there is no user."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--if-fresh", action="store_true", help="say nothing, and succeed, where there are users already"
        )

    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        try:
            code = new_setup_code(now=timezone.now())
        except SetupClosed:
            if options["if_fresh"]:
                return {}
            raise Failure(
                "set_up", "This installation has users already. Invite people in Settings → Members."
            ) from None
        return {"setup": f"{settings.BASE_URL}{reverse('accounts:setup_code', args=[code])}"}

    def report(self, result: dict[str, Any]) -> None:
        if result:
            self.stdout.write(f"setup {result['setup']}")
