"""The parent of the embedded servers: a process of its own that lives as long as anybody holds them.

Commands and the supervisor hold a shared file lock. The keeper waits for the exclusive one: it gets it when the
last holder has gone, cleanly or by SIGKILL, then stops Valkey and Postgres and ends. If the keeper itself is
killed, the kernel stops the servers. Locks:

- `holders.lock`: shared by everybody who needs the servers, exclusive for the keeper when it stops them;
- `keeper.lock`: exclusive for the life of the keeper;
- `start.lock`: held for a moment by whoever is about to start a keeper.
"""

import fcntl
import os
import signal
import sys
import time
from typing import IO, Protocol

from cs_platform.embedded.paths import Paths, current
from cs_platform.embedded.postgres import Postgres
from cs_platform.embedded.valkey import Valkey

POLL_SECONDS = 0.1
RESTART_PAUSE_SECONDS = 1.0


class Server(Protocol):
    name: str

    def start(self) -> None: ...
    def stop(self) -> None: ...


def try_lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Keeper:
    def __init__(self, paths: Paths, services: list[str]) -> None:
        self.paths = paths
        self.ready_file = paths.run / "ready"
        self.stopping = False
        kinds = {"postgres": Postgres, "valkey": Valkey}
        self.servers: list[Server] = [kinds[name](paths) for name in sorted(services)]

    def run(self, holders: IO[str]) -> None:
        """Start, announce readiness, watch, and stop when nobody holds the servers any more."""
        try:
            for server in self.servers:
                server.start()
            self.ready_file.write_text(",".join(server.name for server in self.servers))
            print("ready", flush=True)
            while not self.stopping and not try_lock(holders, fcntl.LOCK_EX):
                self._restart_dead()
                time.sleep(POLL_SECONDS)
        finally:
            self.ready_file.unlink(missing_ok=True)
            for server in reversed(self.servers):
                server.stop()

    def _restart_dead(self) -> None:
        for server in self.servers:
            process = getattr(server, "process", None)
            if process is not None and process.poll() is not None:
                time.sleep(RESTART_PAUSE_SECONDS)
                server.start()

    def request_stop(self, *_: object) -> None:
        self.stopping = True


def main() -> int:
    paths = current()
    keeper_lock = (paths.run / "keeper.lock").open("w")
    if not try_lock(keeper_lock, fcntl.LOCK_EX):
        return 0
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    with (paths.run / "holders.lock").open("a") as holders:
        try:
            keeper = Keeper(paths, sys.argv[1].split(","))
            signal.signal(signal.SIGTERM, keeper.request_stop)
            keeper.run(holders)
        except Exception as error:
            print(error, flush=True)
            raise
        finally:
            # Before the holders' lock: whoever gets that one next must see that no keeper is left.
            keeper_lock.close()
    return 0


if __name__ == "__main__":
    os.chdir("/")
    raise SystemExit(main())
