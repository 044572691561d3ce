"""The embedded Postgres: never two servers on one data folder, whatever was killed before."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cs_platform.embedded.paths import Paths
from cs_platform.embedded.postgres import Postgres, ServerFailed, runs_on

pytestmark = pytest.mark.worker


@pytest.fixture
def server() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="cs-pg-") as folder:
        paths = Paths(Path(folder))
        paths.create()
        postgres = Postgres(paths)
        postgres.start()
        yield postgres
        postgres.stop()


def value_of(server: Postgres, query: str) -> object:
    with server.connect() as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def write_row(server: Postgres) -> None:
    with server.connect() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
        connection.execute("INSERT INTO kept VALUES (1)")


def test_it_starts_again_after_sigkill_with_a_session_at_work(server: Postgres) -> None:
    write_row(server)
    busy = server.connect()
    busy.execute("BEGIN")
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    busy.close()
    server.start()
    assert value_of(server, "SELECT count(*) FROM kept") == 1


def test_it_waits_for_a_server_that_is_still_ending(server: Postgres) -> None:
    write_row(server)
    first = server.process
    assert first is not None
    os.kill(first.pid, signal.SIGSTOP)
    reviver = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import os, signal, time; time.sleep(0.6); os.kill({first.pid}, signal.SIGCONT)",
        ]
    )
    first.send_signal(signal.SIGINT)
    started = time.monotonic()
    second = Postgres(Paths(server.data.parent))
    # Its parent must collect the first server, or its process number stays taken.
    signal.signal(signal.SIGCHLD, lambda *_: first.poll())
    try:
        second.start()
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        reviver.wait()
    assert time.monotonic() - started > 0.3
    assert value_of(second, "SELECT count(*) FROM kept") == 1
    second.stop()


def test_a_reused_process_number_does_not_block_the_start(server: Postgres) -> None:
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")
    assert not runs_on(os.getpid(), server.data)
    server.start()
    assert value_of(server, "SELECT 1") == 1


def test_data_of_another_major_version_is_left_alone(server: Postgres) -> None:
    server.stop()
    version = server.data / "PG_VERSION"
    real = version.read_text()
    version.write_text("12\n")
    with pytest.raises(ServerFailed, match="written by Postgres 12"):
        server.start()
    version.write_text(real)
    server.start()
