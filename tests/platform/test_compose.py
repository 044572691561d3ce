"""docker-compose.yml, as far as it can be judged without an engine."""

import os
import re
from typing import Any

import pytest
import yaml

from tests.stack import REPOSITORY, STACK

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
PRODUCT = ("web", "worker", "beat", "migrate")


def names_read_by_the_product() -> set[str]:
    sources = "".join(path.read_text() for path in (REPOSITORY / "cs_platform").glob("*.py"))
    read = re.findall(
        r"(?:env\.(?:text|optional|required|boolean|integer|listing)|_secret)\(\s*[\"']([A-Z_]+)[\"']",
        sources,
    )
    return set(read)


def test_every_service_of_the_product_is_there() -> None:
    assert set(COMPOSE["services"]) == {*PRODUCT, "postgres", "valkey"}


@pytest.mark.parametrize("service", PRODUCT)
def test_its_environment_exists_in_the_settings(service: str) -> None:
    given = set(COMPOSE["services"][service]["environment"])
    assert given <= names_read_by_the_product()
    assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_ENCRYPTION_KEY"} <= given


@pytest.mark.parametrize("service", ["worker", "beat", "migrate"])
def test_its_command_exists(service: str) -> None:
    from django.core.management import get_commands

    assert COMPOSE["services"][service]["command"][2] in get_commands()


def test_the_role_script_makes_roles_that_the_product_accepts() -> None:
    """The script's own SQL, under other names, on a real server."""
    script = COMPOSE["configs"]["create_roles"]["content"]
    sql = script.split("<<'SQL'\n")[1].split("SQL")[0]
    assert "$$OWNER_PASSWORD" in script
    for old, new in (("cs_owner", "try_owner"), ("cs_app", "try_app"), ("cs_platform", "try_platform")):
        sql = sql.replace(old, new)
    with STACK.postgres.connect() as connection:
        for statement in filter(
            None, (part.strip() for part in sql.replace(":'password'", "'x'").split(";"))
        ):
            connection.execute(statement.encode())
        roles = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname LIKE 'try%' ORDER BY 1"
        ).fetchall()
        connection.execute("DROP DATABASE try_platform")
        connection.execute("DROP ROLE try_app, try_owner")
    assert roles == [("try_app", False, False, False), ("try_owner", False, False, True)]


def test_no_value_of_the_file_is_a_secret() -> None:
    text = (REPOSITORY / "docker-compose.yml").read_text()
    for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEY", "POSTGRES_PASSWORD", "OWNER_PASSWORD"):
        assert not re.search(rf"{name}: (?!\$\{{{name}:\?\}})", text)
    assert os.environ["SECRET_KEY"] not in text
