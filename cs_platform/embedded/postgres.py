"""One Postgres server: create its data folder, start it, create roles and database, stop it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import psycopg
from psycopg import sql

from cs_platform.embedded import binaries, identity
from cs_platform.embedded.paths import Paths

SUPERUSER = "postgres"
OWNER_ROLE = "cs_owner"
APP_ROLE = "cs_app"
DATABASE = "cs_platform"
START_SECONDS = 60.0
START_ATTEMPTS = 5
STOP_SECONDS = 20.0
SERVER_OPTIONS: dict[str, str] = {
    "listen_addresses": "",
    "max_connections": "120",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and parameters may hold personal data; the log keeps the error only.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}


class ServerFailed(RuntimeError):
    """The server did not start; the message is for the person at the terminal."""


class Postgres:
    """A server on a Unix socket below `paths`, as a direct child of this process."""

    name = "postgres"

    def __init__(self, paths: Paths, options: Mapping[str, str] | None = None) -> None:
        self.identity = identity.choose(binaries.postgres_folder(), paths)
        self.data = self.identity.home / "postgres"
        self.sockets = paths.postgres_sockets
        self.log = paths.log / "postgres.log"
        self.options = SERVER_OPTIONS | dict(options or {}) | {"unix_socket_directories": str(self.sockets)}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers; creates the cluster, roles and database when they are missing."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        command = [str(self.identity.binaries / "postgres"), "-D", str(self.data)]
        for key, value in self.options.items():
            command += ["-c", f"{key}={value}"]
        for _ in range(START_ATTEMPTS):
            self._wait_for_predecessor()
            self.process = self._run(command)
            if self._answers():
                break
            time.sleep(1.0)  # backends of a killed server may still be ending
        else:
            raise ServerFailed(f"Postgres stopped while starting; see {self.log}.")
        self.create_roles()

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything committed is on disk; the group is killed if it hangs."""
        stop_process(self.process, signal.SIGINT, STOP_SECONDS)
        self.process = None

    def connect(self, database: str = DATABASE) -> "psycopg.Connection[tuple[object, ...]]":
        """A superuser connection for cluster administration; the product itself never has one."""
        return psycopg.connect(host=str(self.sockets), user=SUPERUSER, dbname=database, autocommit=True)

    def create_roles(self) -> None:
        """The two roles and the database; running it again changes nothing."""
        with self.connect("postgres") as connection:
            roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            if OWNER_ROLE not in roles:
                connection.execute(f"CREATE ROLE {OWNER_ROLE} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE")
            if APP_ROLE not in roles:
                connection.execute(f"CREATE ROLE {APP_ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS")
                connection.execute(f"GRANT {APP_ROLE} TO {OWNER_ROLE}")
            databases = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
            if DATABASE not in databases:
                self.create_database(connection, DATABASE, template="template0")

    @staticmethod
    def create_database(
        connection: "psycopg.Connection[tuple[object, ...]]", name: str, *, template: str
    ) -> None:
        query = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy")
        names = (sql.Identifier(value) for value in (name, OWNER_ROLE, template))
        connection.execute(query.format(*names))

    def _run(self, command: list[str]) -> "subprocess.Popen[bytes]":
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=environment,
                preexec_fn=self.identity.prepare_child,
            )

    def _initialise(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        arguments = [
            f"--pgdata={self.data}",
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            *self._locale_arguments(),
            "--no-instructions",
            "--data-checksums",
        ]
        process = self._run([str(self.identity.binaries / "initdb"), *arguments])
        if process.wait(START_SECONDS) != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise ServerFailed(f"Postgres could not create its data folder; see {self.log}.")

    def _locale_arguments(self) -> list[str]:
        if self.version >= 17:
            return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        return ["--locale=C.UTF-8"]

    @cached_property
    def version(self) -> int:
        """The installed server's major version."""
        output = subprocess.run(
            [str(self.identity.binaries / "postgres"), "--version"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return int(output.split()[2].split(".")[0])

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(self.version):
            raise ServerFailed(
                f"The data in {self.data} was written by Postgres {found}, the installed server is "
                f"{self.version}. Set PG_BIN to a Postgres {found}, or dump and restore the data."
            )

    def _wait_for_predecessor(self) -> None:
        """Let a server of this data folder that is still shutting down end; forget a lock whose pid is reused.

        A lock of a dead process is left to Postgres: it also looks for backends that outlived their server.
        """
        deadline = time.monotonic() + STOP_SECONDS
        while (holder := self._lock_holder()) is not None:
            if not runs_on(holder, self.data):
                (self.data / "postmaster.pid").unlink(missing_ok=True)
                (self.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
            elif time.monotonic() > deadline:
                raise ServerFailed(f"Another Postgres (process {holder}) is using {self.data}.")
            else:
                time.sleep(0.05)

    def _lock_holder(self) -> int | None:
        """The living process named in the lock file."""
        try:
            number = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(number, 0)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None
        except PermissionError:
            pass
        return number

    def _answers(self) -> bool:
        """True when the server takes connections, False when it ended instead."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                return False
            try:
                self.connect("postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.03)
            else:
                return True
        raise ServerFailed(f"Postgres did not answer within {START_SECONDS:.0f} seconds; see {self.log}.")


def runs_on(process_id: int, data: Path) -> bool:
    """True when the process is a Postgres of this data folder (and not a later program with the same number)."""
    try:
        arguments = Path(f"/proc/{process_id}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(data) in arguments


def stop_process(process: "subprocess.Popen[bytes] | None", first: signal.Signals, seconds: float) -> None:
    """Signal a child, wait, and kill its whole process group if it does not end in time."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(first)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
