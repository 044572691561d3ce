"""One Valkey server on a Unix socket, with its log of writes kept on disk."""

import os
import signal
import subprocess
import time

import redis

from cs_platform.embedded import binaries
from cs_platform.embedded.identity import set_parent_death_signal
from cs_platform.embedded.paths import Paths
from cs_platform.embedded.postgres import ServerFailed, stop_process

START_SECONDS = 20.0
STOP_SECONDS = 10.0


def prepare_child() -> None:
    os.setsid()
    set_parent_death_signal(signal.SIGTERM)


class Valkey:
    """A server below `paths`, as a direct child of this process."""

    name = "valkey"

    def __init__(self, paths: Paths) -> None:
        self.binary = binaries.valkey_binary()
        self.data = paths.valkey_data
        self.socket = paths.valkey_socket
        self.log = paths.log / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        command = [str(self.binary)]
        for key, value in options.items():
            command += [f"--{key}", value]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", preexec_fn=prepare_child
            )
        self._wait()

    def stop(self) -> None:
        stop_process(self.process, signal.SIGTERM, STOP_SECONDS)
        self.process = None

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        client = redis.Redis(unix_socket_path=str(self.socket))
        try:
            while time.monotonic() < deadline:
                if self.process is None or self.process.poll() is not None:
                    raise ServerFailed(f"Valkey stopped while starting; see {self.log}.")
                try:
                    client.ping()
                except redis.RedisError:
                    time.sleep(0.03)
                else:
                    return
        finally:
            client.close()
        raise ServerFailed(f"Valkey did not answer within {START_SECONDS:.0f} seconds; see {self.log}.")
