"""A worker that is alive but deaf is noticed; a broker that is away is not the worker's fault."""

from typing import Any

import pytest
from kombu.exceptions import OperationalError

from cs_platform.monitoring import worker
from cs_platform.monitoring.worker import WorkerWatch


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(worker.time, "monotonic", clock)
    return clock


def stuck_after(clock: Clock, monkeypatch: pytest.MonkeyPatch, seconds: int, ping: Any) -> bool:
    """Whether the watch, asked every second, ever calls the worker stuck."""
    monkeypatch.setattr(worker.app.control, "ping", ping)
    watch = WorkerWatch("worker@here")
    for _ in range(seconds):
        clock.now += 1
        if watch.is_stuck():
            return True
        if watch._asking is not None:
            watch._asking.join()
    return False


def broker_away(**_: Any) -> list[object]:
    raise OperationalError("connection refused")


@pytest.mark.parametrize(
    ("seconds", "ping", "stuck"),
    [
        (55, lambda **_: [], False),
        (65, lambda **_: [], True),
        (600, lambda **_: [{"worker@here": {"ok": "pong"}}], False),
        (600, broker_away, False),
    ],
    ids=["silent for a short time", "silent", "answers", "broker away"],
)
def test_only_silence_while_the_broker_answers_is_stuck(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, seconds: int, ping: Any, stuck: bool
) -> None:
    assert stuck_after(clock, monkeypatch, seconds, ping) is stuck
