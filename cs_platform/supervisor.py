"""Everything in one terminal: servers, migrations, web, worker, beat and the demo workspace.

`make demo` runs this. Ctrl-C, SIGTERM and SIGHUP stop all of it in order (web, worker and beat, then Valkey, then
Postgres). If this process is killed, the kernel stops its children and the embedded servers stop by themselves.
"""

import fcntl
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import IO

from cs_platform.children import Child, stop_all
from cs_platform.embedded.binaries import BinaryMissing
from cs_platform.embedded.hold import Hold
from cs_platform.embedded.paths import REPOSITORY, current, missing_services
from cs_platform.embedded.postgres import ServerFailed

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05
KEPT_LOG_BYTES = 5_000_000


class Stopped(Exception):
    """Somebody asked us to stop."""


class Supervisor:
    def __init__(self) -> None:
        self.port = int(os.environ.get("PORT") or 8000)
        self.url = (os.environ.get("BASE_URL") or f"http://127.0.0.1:{self.port}").rstrip("/")
        self.paths = current()
        self.hold = Hold(self.paths, missing_services())
        self.prepared = self.paths.run / "prepared"
        gunicorn = ["-m", "gunicorn", "--config", "python:cs_platform.web_server", "cs_platform.wsgi"]
        self.web = Child("web", gunicorn, {"CS_WAIT_FOR": str(self.prepared)}, self._log("web"))
        self.worker = Child("worker", ["manage.py", "run_worker"], log=self._log("worker"))
        self.beat = Child("beat", ["manage.py", "run_beat"], log=self._log("beat"))
        self.shop = self._shop()
        self.prepare = Child("prepare", ["manage.py", "prepare_demo"])
        self.seed = Child("seed", ["manage.py", "seed_demo"])
        self.stop_requested = False

    def run(self) -> int:
        lock = self._only_one()
        if lock is None:
            return 1
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._request_stop)
        try:
            if self.hold.services:
                self.hold.acquire()
            return self._serve()
        except Stopped:
            return 0
        except (ServerFailed, BinaryMissing) as error:
            say(str(error))
            return 1
        finally:
            self._stop()
            lock.close()

    def _only_one(self) -> IO[str] | None:
        """The lock of a running supervisor on this data folder, or None with a word on who has it."""
        lock = (self.paths.run / "supervisor.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            say(f"already running: {lock.read().strip() or 'starting'} (data in {self.paths.var})")
            return None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {self.url}")
        lock.flush()
        return lock

    def _shop(self) -> Child | None:
        """The demo's payment provider: a Stripe of our own on this machine, unless another address is set.

        Its port stays the same over restarts, because pages of it are linked.
        """
        if os.environ.get("STRIPE_API_BASE") or not (REPOSITORY / "fake_stripe").is_dir():
            return None
        if os.environ.get("CS_SEED") == "off":
            return None
        data = self.paths.var / "fake_stripe"
        data.mkdir(parents=True, exist_ok=True)
        kept = data / "port"
        port = int(kept.read_text()) if kept.exists() else free_port()
        kept.write_text(str(port))
        os.environ["STRIPE_API_BASE"] = f"http://127.0.0.1:{port}"
        arguments = ["-m", "fake_stripe", "--data", str(data), "--port", str(port)]
        return Child("fake_stripe", arguments, log=self._log("fake_stripe"))

    def _log(self, name: str) -> Path:
        """The child's log file; the one of the run before is kept beside it."""
        log = self.paths.log / f"{name}.log"
        if log.exists() and log.stat().st_size > KEPT_LOG_BYTES:
            log.replace(log.with_suffix(".old"))
        return log

    def _serve(self) -> int:
        """The first page comes first: the web server loads its code while the database is prepared."""
        self.prepared.unlink(missing_ok=True)
        self.web.start()
        self._prepare()
        self.prepared.touch()
        if not self._wait_for_web():
            return 1
        say(f"ready {self.url}")
        if self.shop is not None:
            self.shop.start()
            say(f"fake Stripe {os.environ['STRIPE_API_BASE']} (no real money; log: {self.shop.log})")
        self.worker.start()
        self.beat.start()
        if os.environ.get("CS_SEED") != "off":
            self.seed.start()
        return self._watch()

    def _prepare(self) -> None:
        """Migrate, collect static files, create the demo's users; its output (`login …`) is ours."""
        self.prepare.start()
        while self.prepare.is_running:
            self._pause()
        if self.prepare.process is not None and self.prepare.process.returncode != 0:
            raise ServerFailed("The database could not be prepared; the reason stands above.")

    def _wait_for_web(self) -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if not self.web.is_running:
                say(f"The web server stopped while starting; see {self.web.log}.")
                say(f"Is port {self.port} in use? (PORT changes it.)")
                return False
            if answers(f"http://127.0.0.1:{self.port}/healthz"):
                return True
            self._pause()
        say(f"The web server did not answer within {READY_SECONDS:.0f} seconds.")
        return False

    def _watch(self) -> int:
        seeding = bool(self.seed.starts)
        while True:
            self._pause()
            if self.hold.revive():
                say("the embedded servers had ended; started them again.")
            for child in self._lasting():
                if child.is_running:
                    continue
                if child.keeps_failing:
                    say(f"{child.name} ended again and again; giving up. See {child.log}.")
                    return 1
                say(f"{child.name} ended by itself; starting it again.")
                child.start()
            if seeding and not self.seed.is_running:
                seeding = False
                code = self.seed.process.returncode if self.seed.process else 1
                say("demo data complete" if code == 0 else "demo data incomplete; the reason stands above.")

    def _lasting(self) -> list[Child]:
        return [self.web, self.worker, self.beat, *([self.shop] if self.shop else [])]

    def _pause(self) -> None:
        if self.stop_requested:
            raise Stopped
        time.sleep(POLL_SECONDS)

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        self.stop_requested = True

    def _stop(self) -> None:
        stop_all([self.prepare, self.seed, *self._lasting()], seconds=STOP_SECONDS)
        self.hold.release(wait=True)


def free_port() -> int:
    """A port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # our own address  # nosec B310
            return bool(response.status == 200)
    except urllib.error.HTTPError:
        return True  # a redirect to HTTPS or a refused host name is an answer too
    except OSError:
        return False


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    os.chdir(REPOSITORY)
    sys.exit(Supervisor().run())
