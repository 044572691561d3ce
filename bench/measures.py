"""What a measure is, and how it is timed: medians of five, floor and work alternating."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ROUNDS = 5
Action = Callable[[], Any]


@dataclass(frozen=True)
class Pair:
    """Two actions to compare. `reset` runs untimed before each work; `checks` maps a name to a figure."""

    floor: Action
    work: Action
    reset: Action = lambda: None
    rounds: int = ROUNDS


@dataclass(frozen=True)
class Measure:
    """`prepare(world)` returns the Pair; `goal` is the highest ratio work / floor that is good enough.

    With `rate`, both sides do the same amount of work and the ratio is floor / work: `goal` is the lowest.
    """

    name: str
    floor: str
    goal: float
    prepare: Callable[[Any], Pair]
    rate: bool = False


@dataclass(frozen=True)
class Figure:
    """What was measured; seconds are medians."""

    name: str
    floor: str
    floor_seconds: float
    work_seconds: float
    ratio: float
    goal: float
    reached: bool
    notes: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """One line for people."""
        sign = ">=" if self.reached and self.ratio >= self.goal and self._is_rate else "<="
        mark = "ok" if self.reached else "MISSED"
        return (
            f"{self.name:<28} {self.work_seconds:9.3f} s  floor {self.floor_seconds:8.3f} s"
            f"  ratio {self.ratio:7.2f}  goal {sign} {self.goal:<5g} {mark}  ({self.floor})"
        )

    @property
    def _is_rate(self) -> bool:
        return bool(self.notes.get("rate"))


measures: list[Measure] = []


def measure(name: str, *, floor: str, goal: float, rate: bool = False) -> Callable[[Any], Any]:
    """Register a function `prepare(world) -> Pair`."""

    def register(prepare: Callable[[Any], Pair]) -> Callable[[Any], Pair]:
        measures.append(Measure(name, floor, goal, prepare, rate))
        return prepare

    return register


def run(item: Measure, world: Any) -> Figure:
    """Time both sides in turn, so that a slower moment of the machine meets both."""
    pair = item.prepare(world)
    floors, works, results = [], [], []
    pair.floor()  # warm caches for both sides alike
    for _ in range(pair.rounds):
        floors.append(_seconds(pair.floor)[0])
        pair.reset()
        seconds, result = _seconds(pair.work)
        works.append(seconds)
        results.append(result)
    floor, work = statistics.median(floors), statistics.median(works)
    ratio = floor / work if item.rate else work / floor
    reached = ratio >= item.goal if item.rate else ratio <= item.goal
    notes = {"rate": item.rate, "result": results[-1], "same_result": len({repr(r) for r in results}) == 1}
    return Figure(item.name, item.floor, floor, work, ratio, item.goal, reached, notes)


def _seconds(action: Action) -> tuple[float, Any]:
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result
