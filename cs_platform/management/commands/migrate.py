"""`migrate` on the owner's connection: the application role may not change the schema."""

from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser, call_command
from django.core.management.commands import migrate
from django.db import connections

from cs_platform.database import OWNER
from cs_platform.migration_speed import quick_states


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database=OWNER)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["database"] != OWNER:
            raise CommandError(f"Migrations run on the alias '{OWNER}' only.")
        call_command("createcachetable", database=OWNER, verbosity=0)
        grant_cache_table()
        with quick_states():
            super().handle(*args, **options)


def grant_cache_table() -> None:
    """The cache has no model, so the grants made after a migration do not see it."""
    table = settings.CACHES["default"]["LOCATION"]
    quote = connections[OWNER].ops.quote_name
    with connections[OWNER].cursor() as cursor:
        cursor.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {quote(table)} TO {quote(settings.DATABASE_APP_ROLE)}"
        )
