"""Child processes of the supervisor and of the worker command: they never outlive their parent."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cs_platform.embedded.identity import set_parent_death_signal
from cs_platform.embedded.paths import REPOSITORY

QUICK_FAILURES = 5
QUICK_SECONDS = 60.0


def prepare_child() -> None:
    """Own session (the terminal's Ctrl-C goes to the parent alone), ended by the kernel if the parent dies."""
    os.setsid()
    for inherited in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(inherited, signal.SIG_DFL)
    set_parent_death_signal(signal.SIGTERM)


@dataclass
class Child:
    """One long-running process that is started again when it ends by itself."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    process: "subprocess.Popen[bytes] | None" = None
    starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.starts = [moment for moment in self.starts if moment > time.monotonic() - QUICK_SECONDS]
        self.starts.append(time.monotonic())
        environment = os.environ | dict(self.environment)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with self.log.open("ab") if self.log else contextlib.nullcontext() as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.arguments],
                cwd=REPOSITORY,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=prepare_child,
            )

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def keeps_failing(self) -> bool:
        return len(self.starts) >= QUICK_FAILURES

    def signal(self, number: signal.Signals) -> None:
        if self.is_running and self.process is not None:
            self.process.send_signal(number)

    def kill_group(self) -> None:
        """End whatever is left of the child's session, also after the child itself has gone."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def stop_all(children: Iterable[Child], *, seconds: float) -> None:
    """SIGTERM to all at once, then wait together; what has not ended by then is killed with its group."""
    stopping = list(children)
    for child in stopping:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while any(child.is_running for child in stopping) and time.monotonic() < deadline:
        time.sleep(0.05)
    for child in stopping:
        child.kill_group()
