"""What a measure is, and how it is timed: medians of five, floor and work alternating."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Any

ROUNDS = 5
Action = Callable[[], Any]


@dataclass(frozen=True)
class Pair:
    """Two actions to compare. `reset` runs untimed before each work, `output` untimed after it.

    `output` returns what must be the same in every round (a hash, a count); without it the work's own result
    is taken. With `agree` floor and work return the same. `extras` runs once at the end: figures to print.
    """

    floor: Action
    work: Action
    reset: Action = lambda: None
    rounds: int = ROUNDS
    output: Action | None = None
    agree: bool = False
    extras: Callable[[], dict[str, Any]] = dict


@dataclass(frozen=True)
class Taken:
    """What an action returns that measures something else than its own length, such as a percentile of answers."""

    seconds: float
    output: Any = None


@dataclass(frozen=True)
class Measure:
    """`prepare(world)` returns the Pair; `goal` is the highest ratio work / floor that is good enough.

    With `rate`, both sides do the same amount of work and the ratio is floor / work: `goal` is the lowest.
    With `seconds`, the goal is the 95th percentile of the work in seconds and the ratio is for information.
    """

    name: str
    floor: str
    goal: float
    prepare: Callable[[Any], Pair]
    rate: bool = False
    seconds: bool = False


@dataclass(frozen=True)
class Figure:
    """What was measured; seconds are medians, `p95_seconds` is the work's 95th percentile."""

    name: str
    floor: str
    floor_seconds: float
    work_seconds: float
    ratio: float
    goal: float
    reached: bool
    p95_seconds: float
    same_output: bool
    notes: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """One line for people."""
        sign = ">=" if self.notes["rate"] else "<="
        unit = " s" if self.notes["seconds"] else ""
        mark = "ok" if self.reached else "MISSED"
        extras = "".join(f"  {name} {value}" for name, value in self.notes["extras"].items())
        return (
            f"{self.name:<20} {self.work_seconds:8.3f} s  p95 {self.p95_seconds:7.3f}"
            f"  floor {self.floor_seconds:7.3f} s  ratio {self.ratio:6.2f}  goal {sign} {self.goal:g}{unit} {mark}"
            f"{'' if self.same_output else '  OUTPUT DIFFERS'}  ({self.floor}){extras}"
        )


measures: list[Measure] = []


def measure(
    name: str, *, floor: str, goal: float, rate: bool = False, seconds: bool = False
) -> Callable[[Any], Any]:
    """Register a function `prepare(world) -> Pair`."""

    def register(prepare: Callable[[Any], Pair]) -> Callable[[Any], Pair]:
        measures.append(Measure(name, floor, goal, prepare, rate, seconds))
        return prepare

    return register


def run(item: Measure, world: Any) -> Figure:
    """Time both sides in turn, so that a slower moment of the machine meets both."""
    pair = item.prepare(world)
    floors, works, outputs = [], [], []
    expected = pair.floor()  # also warms the caches, for both sides alike
    for _ in range(pair.rounds):
        floors.append(_seconds(pair.floor)[0])
        pair.reset()
        seconds, result = _seconds(pair.work)
        works.append(seconds)
        outputs.append(result if pair.output is None else pair.output())
    if pair.agree:
        outputs.append(expected)
    return _figure(item, floors, works, outputs, pair.extras())


def _figure(
    item: Measure, floors: list[float], works: list[float], outputs: list[Any], extras: dict[str, Any]
) -> Figure:
    floor, work = statistics.median(floors), statistics.median(works)
    p95 = sorted(works)[max(0, ceil(0.95 * len(works)) - 1)]
    ratio = floor / work if item.rate else work / floor
    shown = p95 if item.seconds else ratio
    return Figure(
        name=item.name,
        floor=item.floor,
        floor_seconds=floor,
        work_seconds=work,
        ratio=ratio,
        goal=item.goal,
        reached=shown >= item.goal if item.rate else shown <= item.goal,
        p95_seconds=p95,
        same_output=len({repr(output) for output in outputs}) == 1,
        notes={"rate": item.rate, "seconds": item.seconds, "output": outputs[0], "extras": extras},
    )


def _seconds(action: Action) -> tuple[float, Any]:
    start = time.perf_counter()
    result = action()
    if isinstance(result, Taken):
        return result.seconds, result.output
    return time.perf_counter() - start, result
