"""How accounts fare from day to day: the latent process behind usage, tickets, bills and churn.

Nothing here is written into a workspace. Usage, tickets and the rest are drawn from these states with noise,
and so is the decision to leave: that is why behaviour predicts churn without giving it away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from health.simulation.lanes import NEVER, TRIAL_DAYS, Bools, Floats, Ints, Lanes
from health.simulation.readings import days_to_renewal, hazard, is_bill_day
from health.simulation.reasons import draw_reasons
from health.simulation.refusals import GIVE_UP_AFTER, LEAVES_UNPAID, chances, draw_refusals, may_pass, retried
from health.simulation.spec import SimulationSpec

FIT = 0.55  # how much of the lasting differences between accounts is a matter of fit


@dataclass(slots=True)
class Happenings:
    """What happened on one day, as lane indexes by kind; ``amounts`` holds a number per lane if needed."""

    lanes: dict[str, Ints] = field(default_factory=dict)
    amounts: dict[str, Floats] = field(default_factory=dict)

    def note(self, kind: str, mask: Bools, amounts: Floats | None = None) -> None:
        """Keep the lanes where ``mask`` holds."""
        index = np.flatnonzero(mask)
        if index.size:
            self.lanes[kind] = index
            if amounts is not None:
                self.amounts[kind] = amounts[index]


def step(
    lanes: Lanes, day: int, spec: SimulationSpec, rng: np.random.Generator, *, ends: bool = True
) -> Happenings:
    """Move all lanes through one day, in place. ``ends=False`` warms the states up without anyone leaving."""
    today = spec.day(day)
    seen = Happenings()
    _begin(lanes, day, rng, seen)
    _strike(lanes, day, rng, seen)
    _feel(lanes, rng)
    if not ends:
        return seen
    _raise_prices(lanes, day, today, rng, seen)
    _bill(lanes, day, today, rng, seen)
    _decide(lanes, day, today, rng, seen)
    _resize(lanes, day, today, rng, seen)
    _end(lanes, day, seen)
    _come_back(lanes, day, rng, seen)
    return seen


def _begin(lanes: Lanes, day: int, rng: np.random.Generator, seen: Happenings) -> None:
    born = lanes.first_day == day
    lanes.alive |= born
    lanes.energy = np.where(born, FIT * lanes.fit + rng.normal(0, 0.2, lanes.size), lanes.energy)
    seen.note("began", born)


def _strike(lanes: Lanes, day: int, rng: np.random.Generator, seen: Happenings) -> None:
    """Bad luck: slow drift away, a project that stops, a champion who leaves, a run of defects."""
    n = lanes.size
    roll = rng.random((4, n))
    calm = lanes.alive & (lanes.drag < 0.3) & (lanes.drift_left == 0)
    drift = calm & (roll[0] < 1 / 1000)
    lanes.drift_left = np.where(drift, rng.integers(55, 130, n), np.maximum(lanes.drift_left - 1, 0))
    stop = calm & (roll[1] < 1 / 1700)
    lanes.drag = lanes.drag + np.where(stop, rng.uniform(1.8, 3.6, n), 0)
    leaves = lanes.alive & (lanes.champion_back == NEVER) & (roll[2] < 1 / 850) & (day - lanes.first_day > 45)
    back = (lanes.champion_back <= day) & lanes.alive
    lanes.champion_back = np.where(
        leaves, day + rng.integers(30, 130, n), np.where(back, NEVER, lanes.champion_back)
    )
    trouble = lanes.alive & (lanes.trouble_left == 0) & (roll[3] < 1 / 650)
    lanes.trouble_left = np.where(trouble, rng.integers(20, 60, n), np.maximum(lanes.trouble_left - 1, 0))
    seen.note("champion_left", leaves)
    seen.note("champion_back", back)
    seen.note("trouble", trouble)


def _feel(lanes: Lanes, rng: np.random.Generator) -> None:
    """Energy follows fit and what drags on it, with noise; frustration and price pressure fade."""
    lanes.drag = np.where(lanes.drift_left > 0, lanes.drag + 0.021, lanes.drag * (1 - 1 / 130))
    troubled = lanes.trouble_left > 0
    lanes.frustration = np.where(
        troubled, lanes.frustration + 0.05 * (1.6 - lanes.frustration), lanes.frustration * 0.975
    )
    lanes.pressure = lanes.pressure * (1 - 1 / 75)
    away = 0.45 * (lanes.champion_back < NEVER)
    target = FIT * lanes.fit - lanes.drag - away - 0.35 * lanes.frustration
    moved = lanes.energy + 0.1 * (target - lanes.energy) + rng.normal(0, 0.07, lanes.size)
    lanes.energy = np.clip(moved, -4.5, 1.3)


def _raise_prices(lanes: Lanes, day: int, today: date, rng: np.random.Generator, seen: Happenings) -> None:
    """The newer price list reaches most older accounts on an anniversary of their first bill, once."""
    older = lanes.first_day < day - 300
    anniversary = is_bill_day(lanes, today) & (lanes.bill_month == today.month)
    reached = lanes.alive & older & anniversary & ~lanes.price_seen & (lanes.notice_day == NEVER)
    hit = reached & (rng.random(lanes.size) < 0.7)
    rise = 0.01 * rng.integers(5, 19, lanes.size).astype(np.float64)
    lanes.price_factor = np.where(hit, lanes.price_factor * (1 + rise), lanes.price_factor)
    lanes.pressure = lanes.pressure + np.where(hit, rise * 9 * lanes.sensitivity, 0)
    lanes.price_seen = lanes.price_seen | hit
    seen.note("price_change", hit, rise)


def _bill(lanes: Lanes, day: int, today: date, rng: np.random.Generator, seen: Happenings) -> None:
    """Charge who is due; retry failed charges; give up after four weeks, and some of these leave."""
    paying = lanes.alive & ~(lanes.on_trial & (day < lanes.first_day + TRIAL_DAYS))
    due = paying & is_bill_day(lanes, today) & (lanes.notice_day == NEVER)
    roll = rng.random((2, lanes.size))
    refused, places = draw_refusals(roll[0], lanes.by_card, day)
    fails = due & (lanes.owed_since == NEVER) & refused
    lanes.owed_since = np.where(fails, day, lanes.owed_since)
    lanes.refusal = np.where(fails, places, lanes.refusal)
    waited = day - lanes.owed_since
    owing = paying & (lanes.owed_since < NEVER) & (waited > 0)
    tried = owing & may_pass(waited, lanes.refusal, lanes.by_card)
    recovered = tried & (roll[1] < chances(lanes.refusal, lanes.by_card))
    lost = owing & (waited >= GIVE_UP_AFTER)
    ends = lost & (~lanes.by_card | (roll[1] < LEAVES_UNPAID))
    lanes.owed_since = np.where(recovered | lost, NEVER, lanes.owed_since)
    lanes.ends_day = np.where(ends, day, lanes.ends_day)
    seen.note("billed", due)
    seen.note("charge_failed", fails, places)
    seen.note("retry_failed", tried & ~recovered & retried(lanes.refusal, lanes.by_card))
    seen.note("recovered", recovered)
    seen.note("given_up", lost)
    seen.note("written_off", ends)


def _decide(lanes: Lanes, day: int, today: date, rng: np.random.Generator, seen: Happenings) -> None:
    """Draw who gives notice; it takes effect with the paid period, for some monthly accounts at once."""
    n = lanes.size
    leaves = rng.random(n) < hazard(lanes, day, today)
    wait = np.maximum(days_to_renewal(lanes, today), 1)
    at_once = ~lanes.annual & (rng.random(n) < 0.3)
    lanes.notice_day = np.where(leaves, day, lanes.notice_day)
    end = day + np.where(at_once, 1, wait)
    lanes.ends_day = np.where(leaves, np.minimum(end, lanes.ends_day), lanes.ends_day)
    seen.note("notice", leaves, draw_reasons(lanes, leaves, rng))


def _resize(lanes: Lanes, day: int, today: date, rng: np.random.Generator, seen: Happenings) -> None:
    """Seats follow energy: added on any day, given back with the bill."""
    n = lanes.size
    settled = lanes.alive & (lanes.notice_day == NEVER) & (day - lanes.paying_again_day > 45)
    grows = settled & (rng.random(n) < 0.0016 * np.exp(1.2 * lanes.energy))
    due = is_bill_day(lanes, today)
    weak = settled & due & ~grows & (lanes.energy < -0.7) & (lanes.seats > 3)
    shrinks = weak & (rng.random(n) < np.where(lanes.annual, 0.35, 0.07))
    added = np.maximum(1, np.rint(lanes.seats * rng.uniform(0.08, 0.3, n)))
    removed = np.maximum(1, np.rint(lanes.seats * rng.uniform(0.12, 0.35, n)))
    change = np.where(grows, added, np.where(shrinks, -removed, 0)).astype(np.int64)
    lanes.seats = lanes.seats + change
    seen.note("seats", change != 0, change.astype(np.float64))
    _change_plan(lanes, grows, seen)


def _change_plan(lanes: Lanes, grows: Bools, seen: Happenings) -> None:
    """Who outgrows a plan moves up with the seats that did it."""
    limit = np.array([8, 24, 70, NEVER])[lanes.plan]
    up = grows & (lanes.seats > limit)
    lanes.plan = np.where(up, lanes.plan + 1, lanes.plan)
    seen.note("upgrade", up)


def _end(lanes: Lanes, day: int, seen: Happenings) -> None:
    over = lanes.alive & (lanes.ends_day <= day)
    lanes.alive = lanes.alive & ~over
    lanes.owed_since = np.where(over, NEVER, lanes.owed_since)
    seen.note("ended", over)


def _come_back(lanes: Lanes, day: int, rng: np.random.Generator, seen: Happenings) -> None:
    """A few lapsed accounts return one to six months later, rested."""
    gone = day - lanes.ends_day
    back = ~lanes.alive & (gone > 30) & (gone < 180) & (rng.random(lanes.size) < 0.0009)
    if not back.any():
        return
    lanes.alive = lanes.alive | back
    for name, value in (
        ("notice_day", NEVER),
        ("ends_day", NEVER),
        ("drag", 0.2),
        ("frustration", 0.1),
        ("pressure", 0),
    ):
        setattr(lanes, name, np.where(back, value, getattr(lanes, name)))
    lanes.energy = np.where(back, 0.2, lanes.energy)
    lanes.paying_again_day = np.where(back, day, lanes.paying_again_day)
    lanes.champion_back = np.where(back, NEVER, lanes.champion_back)
    seen.note("came_back", back)
