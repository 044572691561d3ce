"""The checklist of the first days: every step asks the facts, so nobody ticks anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from accounts.models import WelcomeDismissal, Workspace
from accounts.registry import StepFacts, WelcomeStep, welcome_steps


@dataclass(frozen=True, slots=True)
class SeenStep:
    step: WelcomeStep
    facts: StepFacts
    is_next: bool = False

    @property
    def url(self) -> str:
        """Where the step is taken."""
        return reverse(self.step.url_name, args=self.facts.url_arguments)


@dataclass(frozen=True, slots=True)
class Checklist:
    """All steps in their order; the first open one is next."""

    steps: list[SeenStep]

    @property
    def done(self) -> int:
        return sum(seen.facts.is_done for seen in self.steps)

    @property
    def total(self) -> int:
        return len(self.steps)

    @property
    def is_complete(self) -> bool:
        return self.done == self.total

    @property
    def next(self) -> SeenStep | None:
        return next((seen for seen in self.steps if seen.is_next), None)


def checklist(workspace: Workspace, *, now: datetime, may: Callable[[str], bool]) -> Checklist:
    """The steps that a person with these permissions can take; a query or two per step."""
    found: list[SeenStep] = []
    for step in sorted(welcome_steps, key=lambda step: step.order):
        if may(step.permission):
            facts = step.look(workspace, now)
            is_next = not facts.is_done and not any(seen.is_next for seen in found)
            found.append(SeenStep(step, facts, is_next))
    return Checklist(found)


def is_dismissed() -> bool:
    """Whether an owner has put the checklist away."""
    return bool(WelcomeDismissal.objects.exists())


def open_checklist(workspace: Workspace, *, now: datetime, may: Callable[[str], bool]) -> Checklist | None:
    """What the home page shows: the checklist while it is neither done nor put away, for those who can act."""
    if not may("imports.run") or is_dismissed():
        return None
    found = checklist(workspace, now=now, may=may)
    return None if found.is_complete else found
