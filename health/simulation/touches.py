"""What the CSMs did: calls, mails and notes, regular for large accounts and rare for small ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from health.simulation.companies import SimulatedAccount
from health.simulation.history import History
from health.simulation.people import SimulatedContact
from health.simulation.support import People

TouchKind = Literal["call", "email", "note", "meeting"]
_DAYS_BETWEEN = np.array([75.0, 32.0, 17.0])
_TEXTS: dict[str, tuple[tuple[TouchKind, str], ...]] = {
    "well": (
        ("call", "Monthly check-in. Team is happy, wants to try approvals with the finance group next."),
        ("meeting", "Business review: adoption on plan, two more departments interested."),
        ("email", "Sent the release notes and the guide to weekly reports."),
        ("call", "Walked through the new automation templates, they set up two on the call."),
        ("note", "Reference candidate. Ask after their fiscal year ends."),
        ("email", "Shared the benchmark of report turnaround, they are in the best quarter."),
        ("call", "New finance lead wants a tour of approvals. Booked for next week."),
        ("meeting", "Reviewed goals for the half year: two of three reached."),
        ("note", "Prefers calls before ten. Decision on more seats with the next budget."),
    ),
    "quiet": (
        ("email", "Asked whether the roll-out is still on track, no reply yet."),
        ("call", "Spoke briefly: project on hold, budget under review. Will call again in two weeks."),
        ("note", "Logins are down compared with last month. Find out who uses it now."),
        ("email", "Offered a refresher session for the team."),
        ("call", "They build the numbers in a spreadsheet again. Asked what was missing."),
        ("note", "Only two people left who use it regularly."),
    ),
    "trouble": (
        ("call", "They are annoyed by the sync errors. Promised an update from engineering by Friday."),
        ("note", "Third escalation this month, keep support in the loop."),
        ("email", "Sent a summary of the open cases and what we do about each."),
        ("call", "Walked through the fix for the export, they will test it over the weekend."),
    ),
    "start": (
        ("meeting", "Kick-off: goals agreed, first reports by the end of the month."),
        ("call", "Helped with the import of last year's data."),
        ("email", "Sent the onboarding checklist to the admin."),
    ),
    "champion": (
        ("note", "Our main contact has left the company. Need an introduction to whoever takes over."),
        ("email", "Asked the sponsor who will look after the product from now on."),
    ),
}


@dataclass(frozen=True, slots=True)
class SimulatedTouch:
    """One line on the timeline by CSM number ``csm``; ``contact`` is whom it was with, None for notes."""

    account: int
    contact: int | None
    csm: int
    kind: TouchKind
    text: str
    at: datetime


def make_touches(
    history: History,
    accounts: Sequence[SimulatedAccount],
    contacts: Sequence[SimulatedContact],
    rng: np.random.Generator,
) -> tuple[SimulatedTouch, ...]:
    """All touches by day. One account in eight is neglected."""
    people = People(contacts, len(accounts))
    covered = np.array([account.csm is not None for account in accounts])
    care = np.where(rng.random(len(accounts)) < 0.12, 0.08, 1.0) * covered
    rate = care / _DAYS_BETWEEN[history.first.segment] * 7 / 5
    touches: list[SimulatedTouch] = []
    for day in range(history.spec.days):
        if history.spec.day(day).weekday() >= 5:
            continue
        lift = 1 + 1.5 * (history.frustration[day] > 0.5) + 2.0 * (day - history.first.first_day < 30)
        chosen = np.flatnonzero(history.alive[day] & (rng.random(rate.size) < rate * lift))
        touches += [_touch(history, accounts, people, int(lane), day, rng) for lane in chosen]
    return tuple(touches)


def _mood(history: History, lane: int, day: int) -> str:
    if day - int(history.first.first_day[lane]) < 30:
        return "start"
    if not history.champion[day, lane]:
        return "champion"
    if history.frustration[day, lane] > 0.5:
        return "trouble"
    return "quiet" if history.energy[day, lane] < -0.9 else "well"


def _touch(
    history: History,
    accounts: Sequence[SimulatedAccount],
    people: People,
    lane: int,
    day: int,
    rng: np.random.Generator,
) -> SimulatedTouch:
    texts = _TEXTS[_mood(history, lane, day)]
    kind, text = texts[int(rng.integers(len(texts)))]
    contact = None if kind == "note" else people.pick(lane, day, rng)
    hour = float(rng.uniform(9, 17.5)) - accounts[lane].utc_offset_hours
    return SimulatedTouch(
        account=lane,
        contact=contact,
        csm=accounts[lane].csm or 0,
        kind=kind,
        text=text,
        at=history.spec.moment(day, hour * 3600),
    )
