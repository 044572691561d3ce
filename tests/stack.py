"""pytest plugin: a real Postgres (and, when asked for, a real Valkey) for each test process.

Loaded with `-p` before pytest-django reads the settings. Every process, also each xdist worker, has its own cluster
in a temporary folder, reached by a socket only. The migrated cluster is kept as a template under `var/`, named after
a hash of everything that shapes the schema, so that a second run copies it instead of migrating again.
"""

import atexit
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cs_platform.embedded import paths
from cs_platform.embedded.postgres import OWNER_ROLE, Postgres
from cs_platform.embedded.valkey import Valkey

REPOSITORY = paths.REPOSITORY
TEMPLATES = REPOSITORY / "var" / "test-templates"
KEPT_TEMPLATES = 4
SCHEMA_SOURCES = (
    "*/migrations/*.py",
    "*/models/*.py",
    "accounts/change_times.py",
    "accounts/order_guard.py",
    "accounts/tenancy.py",
    "cs_platform/settings.py",
    "*/apps.py",
)
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_connections": "60",
}
ENVIRONMENT = {
    "CS_TESTING": "1",
    "SECRET_KEY": "only-for-tests-" + "0123456789abcdef" * 3,
    "FIELD_ENCRYPTION_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "METRICS_TOKEN": "metrics-token-of-the-tests",
    "STRIPE_API_BASE": "http://127.0.0.1:9",
    "EMAIL_URL": "console:",
    "EXTRA_APPS": "tests.workbench",
    "BASE_URL": "http://testserver",
    # Playwright keeps an event loop in the test's thread; Django would refuse every query there.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}
FOREIGN = ("ALLOWED_HOSTS", "DEBUG", "PORT", "SENTRY_DSN", "CS_PROCESS", "DATABASE_APP_ROLE", "STATIC_ROOT")


def schema_hash() -> str:
    """Changes whenever a file that shapes the migrated database does."""
    digest = hashlib.sha256()
    for pattern in SCHEMA_SOURCES:
        for path in sorted(REPOSITORY.glob(pattern)):
            digest.update(str(path.relative_to(REPOSITORY)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Stack:
    """The servers of this test process."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cs-test-"))
        self.paths = paths.Paths(self.folder)
        self.paths.create()
        self.postgres = Postgres(self.paths, FAST)
        self.valkey: Valkey | None = None
        self.template = TEMPLATES / f"{schema_hash()}-{self.postgres.version}"
        self.migrated = False
        self.seeded_tables: set[str] = set()
        atexit.register(self.stop)

    def start(self) -> None:
        if self.cacheable and self.template.exists():
            copy_folder(self.template, self.postgres.data)
            self.migrated = True
        self.postgres.start()
        for name in FOREIGN:
            os.environ.pop(name, None)
        os.environ |= ENVIRONMENT | {
            "DATABASE_URL": paths.database_url(self.postgres.sockets),
            "REDIS_URL": paths.broker_url(self.paths.valkey_socket),
            "CS_VAR_DIR": str(self.folder),
        }

    @property
    def cacheable(self) -> bool:
        """Not in CI, where every run proves the migrations, and not where Postgres runs as another user."""
        return os.environ.get("CI") != "true" and self.postgres.data.parent == self.folder

    def keep_template(self) -> None:
        """Copy the migrated cluster, while it is stopped, for the next run."""
        self.migrated = True
        if not self.cacheable:
            return
        TEMPLATES.mkdir(parents=True, exist_ok=True)
        self.postgres.stop()
        building = TEMPLATES / f"building-{os.getpid()}"
        copy_folder(self.postgres.data, building)
        try:
            building.rename(self.template)
        except OSError:  # another run was faster
            shutil.rmtree(building, ignore_errors=True)
        self.postgres.start()
        for old in sorted(TEMPLATES.iterdir(), key=lambda path: path.stat().st_mtime)[:-KEPT_TEMPLATES]:
            shutil.rmtree(old, ignore_errors=True)

    def owner(self) -> "psycopg.Connection[Any]":
        """A connection as the owner role, outside Django."""
        return psycopg.connect(
            host=str(self.postgres.sockets), user=OWNER_ROLE, dbname="cs_platform", autocommit=True
        )

    def flush(self) -> None:
        """Empty every table that has held rows since the last time, as owner: the product's role may not truncate."""
        with self.owner() as connection:
            connection.execute("SET lock_timeout = '10s'")
            tables = sorted(touched_tables(connection) - self.seeded_tables)
            if tables:
                names = ", ".join(f'"{name}"' for name in tables)
                connection.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE".encode())

    def start_valkey(self) -> Valkey:
        if self.valkey is None:
            valkey = Valkey(self.paths)
            valkey.start()
            self.valkey = valkey
        return self.valkey

    def stop(self) -> None:
        if self.valkey is not None:
            self.valkey.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.postgres.identity.home != self.folder:
            shutil.rmtree(self.postgres.identity.home, ignore_errors=True)


def copy_folder(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)


def touched_tables(connection: "psycopg.Connection[Any]") -> set[str]:
    """Tables with at least one page. Counting rows would not do: row-level security hides them from the owner."""
    query = """
        SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relkind = 'r' AND nspname = 'public' AND pg_relation_size(pg_class.oid) > 0
    """
    return {name for (name,) in connection.execute(query)}


STACK = Stack()
STACK.start()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Flush as owner after transactional tests, and let no test reach beyond this machine."""
    from django.test import TransactionTestCase

    def flush_as_owner(self: TransactionTestCase) -> None:
        STACK.flush()

    TransactionTestCase._fixture_teardown = flush_as_owner  # type: ignore[attr-defined]
    socket.socket.connect = guarded(socket.socket.connect)  # type: ignore[method-assign]


def pytest_itemcollected(item: pytest.Item) -> None:
    if "browser" in item.path.parts:
        item.add_marker(pytest.mark.browser)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With xdist: a file's tests stay together. Tests of real processes run one after the other, so that they do
    not starve each other, and the browser's share one Chromium.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid.split("::", 1)[0])

    return ByGroup(config, log)


@cache
def group_of(file: str) -> str:
    """The files that one test process runs in a row: all of a kind, or the file alone."""
    text = (REPOSITORY / file).read_text()
    for kind in ("worker", "browser"):
        if f"mark.{kind}" in text or f"tests/{kind}/" in file:
            return kind
    return file


def guarded(connect: Any) -> Any:
    def connect_locally(self: socket.socket, address: Any) -> Any:
        local = self.family == socket.AF_UNIX or address[0] in {"127.0.0.1", "::1", "localhost"}
        if not local:
            raise RuntimeError(f"a test tried to reach {address[0]}: tests have no network")
        return connect(self, address)

    return connect_locally


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Migrate as owner, once; pytest-django's own fixture would create a database as the application role."""
    from django.core.management import call_command
    from django.db import connections

    with django_db_blocker.unblock():
        if not STACK.migrated:
            call_command("migrate", verbosity=0)
            connections.close_all()
            STACK.keep_template()
    with STACK.owner() as connection:
        STACK.seeded_tables = touched_tables(connection)
    yield
    with django_db_blocker.unblock():
        connections.close_all()


@pytest.fixture(scope="session")
def valkey_server() -> Valkey:
    """The broker of this test process, started at the first use; stop and start it to test an outage."""
    return STACK.start_valkey()


@pytest.fixture
def valkey(valkey_server: Valkey) -> Iterator[Any]:
    """A client of an empty broker."""
    import redis

    client = redis.Redis(unix_socket_path=str(valkey_server.socket))
    client.flushall()
    yield client
    client.close()
