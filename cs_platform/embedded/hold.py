"""Holding the embedded servers: they run while at least one process holds them."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from cs_platform.embedded.keeper import try_lock
from cs_platform.embedded.paths import REPOSITORY, Paths, current, missing_services
from cs_platform.embedded.postgres import ServerFailed

WAIT_SECONDS = 60.0


class Hold:
    """A shared claim on the servers; `release` gives it back."""

    def __init__(self, paths: Paths, services: frozenset[str]) -> None:
        self.paths = paths
        self.services = services
        paths.create()
        self._holders: IO[str] | None = None

    def acquire(self) -> None:
        """Take the claim and return when all wanted servers answer; raises ServerFailed with the reason."""
        self._holders = (self.paths.run / "holders.lock").open("a")
        fcntl.flock(self._holders, fcntl.LOCK_SH)
        with (self.paths.run / "start.lock").open("w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            self._ensure_keeper()
        missing = self.services - self._ready()
        if missing:
            raise ServerFailed(
                f"The embedded servers are running without {', '.join(sorted(missing))}: another command was "
                "started with DATABASE_URL or REDIS_URL set. Stop it, or use the same environment."
            )

    def revive(self) -> bool:
        """Start the servers again if their keeper was killed; True when that was necessary."""
        if not self.services or self._keeper_alive():
            return False
        with (self.paths.run / "start.lock").open("w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            self._ensure_keeper()
        return True

    def release(self, *, wait: bool = False) -> None:
        """Give the claim back; with `wait`, return when the servers have stopped or others still hold them."""
        if self._holders is not None:
            self._holders.close()
            self._holders = None
        deadline = time.monotonic() + WAIT_SECONDS
        noticed = time.monotonic() + 1.0
        while wait and self._keeper_alive() and time.monotonic() < deadline:
            if self._ready() and time.monotonic() > noticed:
                return
            time.sleep(0.05)

    def _ensure_keeper(self) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not self._ready() or not self._keeper_alive():
            if not self._keeper_alive():
                self._start_keeper()
            elif time.monotonic() > deadline:
                raise ServerFailed(f"The embedded servers did not start; see {self.paths.log}.")
            else:
                time.sleep(0.02)

    def _start_keeper(self) -> None:
        (self.paths.run / "ready").unlink(missing_ok=True)
        with (self.paths.log / "keeper.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "cs_platform.embedded.keeper", ",".join(sorted(self.services))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"CS_VAR_DIR": str(self.paths.var), "PYTHONPATH": str(REPOSITORY)},
            )
        assert process.stdout is not None  # a pipe was asked for  # nosec B101
        with process.stdout as output:
            first_line = output.readline().decode().strip()
        if first_line != "ready":
            raise ServerFailed(first_line or f"The embedded servers did not start; see {self.paths.log}.")
        # The keeper outlives this command on purpose: nobody waits for it.
        process.returncode = 0

    def _keeper_alive(self) -> bool:
        with (self.paths.run / "keeper.lock").open("a") as file:
            return not try_lock(file, fcntl.LOCK_SH)

    def _ready(self) -> frozenset[str]:
        try:
            return frozenset((self.paths.run / "ready").read_text().split(","))
        except FileNotFoundError:
            return frozenset()


@contextmanager
def held() -> Iterator[Hold | None]:
    """Hold whatever servers the environment does not bring along, for the length of a command."""
    services = missing_services()
    if not services:
        yield None
        return
    hold = Hold(current(), services)
    hold.acquire()
    try:
        yield hold
    finally:
        hold.release()
