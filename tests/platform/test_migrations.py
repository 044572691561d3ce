"""Migrations: nothing missing, the fast way gives the same schema as Django's own, and the owner runs them."""

import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from cs_platform.embedded.binaries import postgres_folder
from cs_platform.embedded.paths import database_url
from cs_platform.embedded.postgres import OWNER_ROLE
from tests.stack import REPOSITORY, STACK

MIGRATE = """
import sys
from contextlib import nullcontext
import django
django.setup()
from django.core.management import call_command
from cs_platform.management.commands import migrate
if sys.argv[1] == "plain":
    migrate.quick_states = nullcontext
call_command("migrate", verbosity=0)
"""


@pytest.mark.django_db(databases=["default", "owner"])
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_application_role_is_never_migrated() -> None:
    with pytest.raises(CommandError, match="'owner' only"):
        call_command("migrate", database="default", verbosity=0)


def schema_after(way: str) -> str:
    """The schema of a fresh database, as text without the dump's random key."""
    name = f"migrated_{way}"
    with STACK.postgres.connect() as connection:
        STACK.postgres.create_database(connection, name, template="template0")
    environment = os.environ | {
        "DATABASE_URL": database_url(STACK.postgres.sockets, name),
        "DJANGO_SETTINGS_MODULE": "cs_platform.settings",
    }
    subprocess.run([sys.executable, "-c", MIGRATE, way], cwd=REPOSITORY, env=environment, check=True)
    dump = [str(postgres_folder() / "pg_dump"), "--schema-only", "-h", str(STACK.postgres.sockets)]
    text = subprocess.run([*dump, "-U", OWNER_ROLE, name], capture_output=True, text=True, check=True).stdout
    with STACK.postgres.connect() as connection:
        connection.execute(f"DROP DATABASE {name}".encode())
    return "\n".join(line for line in text.splitlines() if not line.startswith("\\"))


@pytest.mark.soak
def test_the_fast_way_makes_the_same_schema() -> None:
    assert schema_after("quick") == schema_after("plain")
