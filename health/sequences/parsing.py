"""Reads a draft of a sequence and names every mistake in it, in words, in one round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, ngettext

from accounts.segments import TreeError, parse_tree
from health.registry import sequence_actions
from health.risks import risk_rules
from health.sequences import definition as d
from health.sequences.controls import CONTROLS, WAIT
from health.sequences.spec import ControlStep, SequenceAction, StepField


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: the field as a path ("steps.0.amount", "trigger.causes") and a sentence."""

    field: str
    message: str


class SequenceError(ValueError):
    """A draft that cannot run; `problems` names every field that must change."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.message}" for p in problems))


def kind_of(name: str) -> ControlStep | SequenceAction | None:
    """The control step or registered action of that name."""
    return CONTROLS.get(name) or (sequence_actions.get(name) if name in sequence_actions else None)


def parse_sequence(raw: Any, *, segments: frozenset[str] | None = None) -> d.SequenceDefinition:
    """Read a definition; `segments` are the public ids that a trigger may name (None = not checked).

    Raises SequenceError with every problem. Runs in a workspace's scope, for the choices of the steps.
    """
    reader = _Reader()
    top = raw if isinstance(raw, Mapping) else {}
    trigger = reader.trigger(top.get("trigger"), segments)
    steps = reader.steps(top.get("steps"))
    audience = reader.tree(top.get("audience"), "audience") if top.get("audience") else None
    exits = frozenset(name for name in top.get("exits", ("risk_closed", "churned")) if name in d.EXITS)
    found = d.SequenceDefinition(
        trigger=trigger,
        steps=steps,
        audience=audience,
        exits=exits,
        again_days=reader.number(top, "again_days", d.DEFAULT_AGAIN_DAYS, 1, 3650),
        at_most=reader.number(top, "at_most", d.DEFAULT_AT_MOST, 1, 100),
        daily_cap=reader.number(top, "daily_cap", d.DEFAULT_CAP, 1, 10_000),
        holdout_percent=reader.number(top, "holdout_percent", d.DEFAULT_HOLDOUT, 0, 50),
        window_days=reader.number(top, "window_days", d.DEFAULT_WINDOW, 7, 365),
    )
    if 0 < found.holdout_percent < d.LEAST_HOLDOUT:
        words = gettext("Hold out nobody (0) or at least %(n)d %%, else nothing can be learnt.")
        reader.complain("holdout_percent", words % {"n": d.LEAST_HOLDOUT})
    if not reader.problems:
        reader.check_ways(found)
    if reader.problems:
        raise SequenceError(reader.problems)
    return found


class _Reader:
    """Collects problems while it reads."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def complain(self, field: str, message: str) -> None:
        self.problems.append(Problem(field, message))

    def trigger(self, raw: Any, segments: frozenset[str] | None) -> d.Trigger:
        item = raw if isinstance(raw, Mapping) else {}
        on = item.get("on")
        if on not in d.TRIGGERS:
            self.complain("trigger.on", gettext("Choose what begins it."))
            return d.Trigger()
        causes = tuple(str(name) for name in item.get("causes") or () if name in risk_rules)
        segment = str(item.get("segment") or "")
        if on == "risk" and not causes:
            self.complain("trigger.causes", gettext("Choose at least one risk."))
        if on == "segment" and (not segment or (segments is not None and segment not in segments)):
            self.complain("trigger.segment", gettext("Choose a segment."))
        return d.Trigger(on, causes, segment, bool(item.get("existing")))

    def number(
        self, raw: Mapping[str, Any], key: str, default: Any, low: int, high: int, at: str = ""
    ) -> int:
        value = raw.get(key, default)
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value.strip())
        if isinstance(value, bool) or not isinstance(value, int):
            self.complain(at + key, gettext("Enter a whole number."))
        elif not low <= value <= high:
            words = gettext("Enter a number from %(low)d to %(high)d.")
            self.complain(at + key, words % {"low": low, "high": high})
        else:
            return value
        return low

    def tree(self, raw: Any, field: str) -> Mapping[str, Any] | None:
        try:
            parse_tree(raw)
        except TreeError as error:
            self.complain(field, str(error))
            return None
        return raw

    def steps(self, raw: Any) -> tuple[d.Step, ...]:
        items = raw if isinstance(raw, list) else []
        if not items:
            self.complain("steps", gettext("Add at least one step."))
        if len(items) > d.MOST_STEPS:
            self.complain("steps", gettext("At most %(n)d steps.") % {"n": d.MOST_STEPS})
        ids = [str(item.get("id") or "") for item in items if isinstance(item, Mapping)]
        if len(set(ids)) != len(items) or not all(ids):
            self.complain("steps", gettext("Every step needs an id of its own."))
        return tuple(self._step(item, f"steps.{at}", set(ids)) for at, item in enumerate(items))

    def _step(self, raw: Any, at: str, ids: set[str]) -> d.Step:
        item = raw if isinstance(raw, Mapping) else {}
        kind = kind_of(str(item.get("kind") or ""))
        if kind is None:
            self.complain(f"{at}.kind", gettext("This kind of step is not known here."))
            return d.Step(str(item.get("id") or ""), str(item.get("kind") or ""), {})
        values = {f.name: self._value(f, item, at, ids) for f in kind.fields}
        return d.Step(str(item.get("id") or ""), kind.name, values)

    def _value(self, field: StepField, item: Mapping[str, Any], at: str, ids: set[str]) -> Any:
        place = f"{at}.{field.name}"
        if field.type == "number":
            return self.number(item, field.name, field.default, field.lowest, field.highest, at=f"{at}.")
        value = item.get(field.name, field.default)
        if field.type == "checkbox":
            return value in (True, "on", "true", "1")
        if field.type == "tree":
            return self.tree(value, place) if value else self.complain(place, gettext("Add a condition."))
        text = str(value or "").strip()
        if field.type == "target":
            known = text in (d.NEXT, d.END) or text.removeprefix(d.TO_STEP) in ids
            if not known:
                self.complain(place, gettext("Choose a step that is still here."))
            return text
        if not text and field.is_required:
            self.complain(place, gettext("Fill in this value."))
        elif field.type == "choice" and text and field.choices and text not in dict(field.choices()):
            self.complain(place, gettext("Choose one of the list."))
        elif len(text) > field.longest:
            words = ngettext("At most %(n)d character.", "At most %(n)d characters.", field.longest)
            self.complain(place, words % {"n": field.longest})
        return text

    def check_ways(self, found: d.SequenceDefinition) -> None:
        """No step that nobody reaches, no circle without a pause in it."""
        ways = [_ways(found, at) for at in range(len(found.steps))]
        reached, todo = set(), [0]
        while todo:
            at = todo.pop()
            if at not in reached:
                reached.add(at)
                todo += ways[at]
        for at in range(len(found.steps)):
            if at not in reached:
                self.complain(
                    f"steps.{at}", gettext("No way leads to this step. Remove it or lead a branch here.")
                )
        pauses = {at for at, step in enumerate(found.steps) if step.kind == WAIT}
        for at, _step in enumerate(found.steps):
            if at not in pauses and _returns(at, ways, pauses):
                words = gettext("From here a circle leads back without a wait. Put a “Wait” step into it.")
                self.complain(f"steps.{at}", words)
                break


def _ways(found: d.SequenceDefinition, at: int) -> list[int]:
    """Where step `at` can lead."""
    step = found.steps[at]
    kind = kind_of(step.kind)
    targets = [str(step.values[f.name]) for f in kind.fields if f.type == "target"] if kind else []
    if "yes" not in step.values:  # only a branch never just goes on
        targets.append(d.NEXT)
    return [place for target in targets if (place := found.after(at, target)) is not None]


def _returns(start: int, ways: list[list[int]], pauses: set[int]) -> bool:
    seen: set[int] = set()
    todo = [at for at in ways[start] if at not in pauses]
    while todo:
        at = todo.pop()
        if at == start:
            return True
        if at not in seen:
            seen.add(at)
            todo += [way for way in ways[at] if way not in pauses]
    return False
