"""The real web server (gunicorn) on the test's own database, to be killed, and a client for it."""

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stack import REPOSITORY

START_SECONDS = 40.0


class RealWeb:
    """gunicorn as the supervisor starts it, in a session of its own."""

    def __init__(self, log: Path | None = None) -> None:
        self.log = log
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "--config", "python:cs_platform.web_server"]
        level = "INFO" if self.log else "ERROR"
        with open(self.log or os.devnull, "ab") as log:
            self.process = subprocess.Popen(
                [*command, "cs_platform.wsgi"],
                cwd=REPOSITORY,
                env=os.environ | {"PORT": str(self.port), "CS_PROCESS": "web", "LOG_LEVEL": level},
                start_new_session=True,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if time.monotonic() > deadline:
                pytest.fail("the web server did not start")
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            return ask(self.port, "GET", "/healthz")[0] == 200
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL to all its processes at once."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self.process = None


@pytest.fixture
def real_web(transactional_db: None) -> Iterator[RealWeb]:
    web = RealWeb()
    try:
        web.start()
        yield web
    finally:
        web.kill()


def ask(
    port: int, method: str, path: str, body: Any = None, key: str = "", timeout: float = 10.0
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request on a connection of its own; OSError where there is no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    token = base64.b64encode(f"{key}:".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, json.dumps(body).encode() if body is not None else None, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError from error
    finally:
        connection.close()
