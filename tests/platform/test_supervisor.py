"""`make demo` as a real process: it starts everything, stops everything, and keeps the data."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cs_platform.embedded.paths import Paths
from tests.stack import REPOSITORY
from tests.workers import RealWorker

pytestmark = [pytest.mark.worker, pytest.mark.slow]
START_SECONDS = 90.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Demo:
    """One supervisor with a data folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.paths = Paths(folder)
        self.port = free_port()
        foreign = {
            "DATABASE_URL",
            "REDIS_URL",
            "CS_TESTING",
            "BASE_URL",
            "SECRET_KEY",
            "FIELD_ENCRYPTION_KEY",
        }
        self.environment = {key: value for key, value in os.environ.items() if key not in foreign}
        self.environment |= {"CS_VAR_DIR": str(folder), "PORT": str(self.port), "CS_SEED": "off"}
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cs_platform.supervisor"],
            cwd=REPOSITORY,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.wait_for_line("ready ")

    def wait_for_line(self, start: str) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            line = self.process.stdout.readline()
            if line.startswith(start):
                return
            if not line and self.process.poll() is not None:
                break
        pytest.fail(f"the supervisor never said {start!r}")

    def stop(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(40)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def process_ids(self) -> list[int]:
        """Processes that still carry this instance's data folder in their environment."""
        found = []
        mark = f"CS_VAR_DIR={self.paths.var}".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def wait_until_gone(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.process_ids() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert self.process_ids() == []

    def sql(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(
            host=str(self.paths.postgres_sockets), user="cs_owner", dbname="cs_platform", autocommit=True
        ) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with tempfile.TemporaryDirectory(prefix="cs-demo-") as folder:
        instance = Demo(Path(folder))
        yield instance
        if instance.process is not None and instance.process.poll() is None:
            instance.stop(signal.SIGTERM)


def test_it_serves_pages_and_refuses_a_second_start(demo: Demo) -> None:
    demo.start()
    with urllib.request.urlopen(f"http://127.0.0.1:{demo.port}/login/", timeout=10) as response:
        assert response.status == 200
    second = subprocess.run(
        [sys.executable, "-m", "cs_platform.supervisor"],
        cwd=REPOSITORY,
        env=demo.environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    assert "already running" in second.stdout


def test_a_command_beside_it_uses_the_same_servers(demo: Demo) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "showmigrations", "accounts"],
        cwd=REPOSITORY,
        env=demo.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "[X] 0001_initial" in done.stdout
    assert demo.sql("SELECT 1") == [(1,)]


def test_killed_servers_come_back(demo: Demo) -> None:
    keeper = [
        pid for pid in demo.process_ids() if b"embedded.keeper" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    assert len(keeper) == 1
    os.kill(keeper[0], signal.SIGKILL)
    demo.wait_for_line("the embedded servers had ended")
    assert demo.sql("SELECT 1") == [(1,)]
    RealWorker.wait_for(lambda: answers(f"http://127.0.0.1:{demo.port}/readyz"), 20)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError:  # for a moment the connections of before are still in the pool
        return False


def test_sigterm_leaves_no_process_behind(demo: Demo) -> None:
    demo.sql("CREATE TABLE kept (value int)")
    demo.sql("INSERT INTO kept VALUES (42)")
    assert demo.stop(signal.SIGTERM) == 0
    demo.wait_until_gone(3)


def test_sigkill_takes_everything_along_and_keeps_the_data(demo: Demo) -> None:
    demo.start()
    assert demo.sql("SELECT value FROM kept") == [(42,)]
    demo.sql("INSERT INTO kept VALUES (43)")
    demo.stop(signal.SIGKILL)
    demo.wait_until_gone(25)
    demo.start()
    assert demo.sql("SELECT value FROM kept ORDER BY 1") == [(42,), (43,)]
    assert demo.stop(signal.SIGINT) == 0
    demo.wait_until_gone(3)
