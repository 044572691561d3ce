"""A sequence as data: what begins it, for whom, its steps, and what ends it early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NEXT, END, TO_STEP = "next", "end", "step:"
TRIGGERS = ("risk", "segment", "hand")
EXITS = ("risk_closed", "churned", "segment_left", "contact_answered")
DEFAULT_CAP, DEFAULT_HOLDOUT, DEFAULT_AGAIN_DAYS, DEFAULT_AT_MOST, DEFAULT_WINDOW = 25, 10, 90, 3, 90
MOST_STEPS, MOST_VISITS, LEAST_HOLDOUT = 40, 20, 5


@dataclass(frozen=True, slots=True)
class Trigger:
    """`on` risk: one of `causes` is open; segment: the account entered `segment` (public id), with
    `existing` those inside already too; hand: only a person begins it."""

    on: str = "hand"
    causes: tuple[str, ...] = ()
    segment: str = ""
    existing: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """`id` stays the same when steps move; `values` are checked by the fields of its kind."""

    id: str
    kind: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SequenceDefinition:
    """A whole version. `audience` is a segment tree or None. Shares in percent, lengths in days."""

    trigger: Trigger
    steps: tuple[Step, ...]
    audience: Mapping[str, Any] | None = None
    exits: frozenset[str] = frozenset({"risk_closed", "churned"})
    again_days: int = DEFAULT_AGAIN_DAYS
    at_most: int = DEFAULT_AT_MOST
    daily_cap: int = DEFAULT_CAP
    holdout_percent: int = DEFAULT_HOLDOUT
    window_days: int = DEFAULT_WINDOW
    _places: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> SequenceDefinition:
        """A stored definition that was checked when it was published."""
        trigger, again = data["trigger"], data.get("again_days", DEFAULT_AGAIN_DAYS)
        return cls(
            trigger=Trigger(
                on=trigger["on"],
                causes=tuple(trigger.get("causes", ())),
                segment=trigger.get("segment", ""),
                existing=bool(trigger.get("existing")),
            ),
            steps=tuple(_step(item) for item in data["steps"]),
            audience=data.get("audience"),
            exits=frozenset(data.get("exits", ())),
            again_days=again,
            at_most=data.get("at_most", DEFAULT_AT_MOST),
            daily_cap=data.get("daily_cap", DEFAULT_CAP),
            holdout_percent=data.get("holdout_percent", DEFAULT_HOLDOUT),
            window_days=data.get("window_days", DEFAULT_WINDOW),
        )

    def place_of(self, step_id: str) -> int | None:
        """Index of a step, None when there is no such step."""
        if not self._places:
            self._places.update({step.id: at for at, step in enumerate(self.steps)})
        return self._places.get(step_id)

    def after(self, position: int, target: str = NEXT) -> int | None:
        """Where a run goes from here: an index, or None at the end."""
        if target == END:
            return None
        if target.startswith(TO_STEP):
            return self.place_of(target.removeprefix(TO_STEP))
        return position + 1 if position + 1 < len(self.steps) else None

    def as_json(self) -> dict[str, Any]:
        """The stored form; `parse_sequence` reads it back to an equal object."""
        trigger: dict[str, Any] = {"on": self.trigger.on}
        if self.trigger.on == "risk":
            trigger["causes"] = list(self.trigger.causes)
        if self.trigger.on == "segment":
            trigger |= {"segment": self.trigger.segment, "existing": self.trigger.existing}
        return {
            "trigger": trigger,
            "audience": dict(self.audience) if self.audience else None,
            "steps": [{"id": step.id, "kind": step.kind, **step.values} for step in self.steps],
            "exits": sorted(self.exits),
            "again_days": self.again_days,
            "at_most": self.at_most,
            "daily_cap": self.daily_cap,
            "holdout_percent": self.holdout_percent,
            "window_days": self.window_days,
        }


def _step(item: Mapping[str, Any]) -> Step:
    values = {name: value for name, value in item.items() if name not in ("id", "kind")}
    return Step(item["id"], item["kind"], values)
