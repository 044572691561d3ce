"""The state of every account as arrays: one lane per account, or per possible future of an account."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from health.simulation.plans import ENTERPRISE, MID, SEGMENT_OF_PLAN, draw_plans, draw_seats
from health.simulation.spec import SimulationSpec

NEVER = 1_000_000
TRIAL_DAYS = 14
BURN_IN_DAYS = 150
CHANNELS = ("referral", "outbound", "partner", "paid search")

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(slots=True)
class Lanes:
    """Parallel arrays of one length. Day numbers count from the first simulated day; NEVER: not at all."""

    # What an account is.
    plan: Ints
    segment: Ints
    annual: Bools
    by_card: Bools
    on_trial: Bools  # starts with a trial of TRIAL_DAYS
    first_day: Ints
    bill_day: Ints  # day of the month on which it is billed, 1-28
    bill_month: Ints  # month of the annual bill, 1-12
    fit: Floats  # how well the product suits it
    depth: Floats  # 0-1, how many of the key features it takes up
    ramp_days: Floats
    ceiling: Floats  # how far onboarding gets, 1 = all the way
    sensitivity: Floats  # to prices
    channel: Ints  # how it was won, index into CHANNELS
    guided: Bools  # bought a guided set-up
    # How it is doing.
    alive: Bools
    seats: Ints
    price_factor: Floats
    energy: Floats  # log of usage against its normal
    drag: Floats  # what pulls energy down
    drift_left: Ints
    trouble_left: Ints
    champion_back: Ints  # day on which a new champion takes over; NEVER = champion in place
    frustration: Floats
    pressure: Floats  # felt price pressure
    owed_since: Ints  # day of a failed charge not yet recovered
    refusal: Floats  # why it failed: a place in [0, 1) of all refusals
    price_seen: Bools  # the list price rise has reached it
    notice_day: Ints
    ends_day: Ints
    paying_again_day: Ints  # start of the latest subscription

    @property
    def size(self) -> int:
        """Number of lanes."""
        return int(self.alive.size)

    def take(self, index: Ints) -> Lanes:
        """A copy of the lanes at ``index``; a lane may be taken several times."""
        return Lanes(**{item.name: getattr(self, item.name)[index] for item in fields(self)})


def _first_days(spec: SimulationSpec, rng: np.random.Generator) -> Ints:
    """Most accounts were there before; the others sign up in the period, with a handful in the last weeks."""
    count = spec.accounts
    old = -1 - np.rint(rng.exponential(420, count)).clip(0, 1500)
    new = np.floor(rng.uniform(0, spec.first_days - 1, count))
    days: Ints = np.where(rng.random(count) < spec.new_share, new, old).astype(np.int64)
    return days


def make_lanes(spec: SimulationSpec, rng: np.random.Generator) -> Lanes:
    """The accounts at the beginning, none alive yet."""
    n = spec.accounts
    plan = draw_plans(n, rng)
    segment = SEGMENT_OF_PLAN[plan]
    annual = rng.random(n) < np.array([0.18, 0.62, 0.97])[segment]
    by_card = rng.random(n) < np.array([0.93, 0.45, 0.05])[segment]
    first = _first_days(spec, rng)
    on_trial = (segment == 0) & by_card
    first = _avoid_month_end(first, on_trial, spec)
    paid = first + np.where(on_trial, TRIAL_DAYS, 0)
    dates = [spec.day(day) for day in paid]
    guided = rng.random(n) < np.array([0.28, 0.6, 0.92])[segment]
    stalled = rng.random(n) < np.where(guided, 0.05, 0.17)
    zeros, false = np.zeros(n), np.zeros(n, dtype=bool)
    counts, never = np.zeros(n, dtype=np.int64), np.full(n, NEVER)
    return Lanes(
        plan=plan,
        segment=segment,
        annual=annual,
        by_card=by_card,
        on_trial=on_trial,
        first_day=first,
        bill_day=np.array([day.day for day in dates]),
        bill_month=np.array([day.month for day in dates]),
        fit=rng.normal(0.15, 1.0, n),
        depth=rng.beta(5.0, 1.4, n) * np.where(rng.random(n) < 0.09, 0.1, 1.0),
        ramp_days=rng.uniform(12, 45, n) * np.where(segment >= MID, 1.6, 1.0),
        ceiling=np.where(stalled, rng.uniform(0.12, 0.4, n), 1.0),
        sensitivity=rng.gamma(2.0, 0.5, n) * np.where(segment == ENTERPRISE, 0.6, 1.0),
        channel=rng.choice(len(CHANNELS), size=n, p=[0.27, 0.24, 0.19, 0.30]),
        guided=guided,
        alive=false.copy(),
        seats=draw_seats(plan, rng),
        price_factor=1 - 0.01 * np.rint(rng.beta(1.2, 6, n) * 40) * (segment >= MID),
        energy=zeros.copy(),  # replaced when an account begins
        drag=zeros.copy(),
        drift_left=counts.copy(),
        trouble_left=counts.copy(),
        champion_back=never.copy(),
        frustration=zeros.copy(),
        pressure=zeros.copy(),
        owed_since=never.copy(),
        refusal=zeros.copy(),
        price_seen=false.copy(),
        notice_day=never.copy(),
        ends_day=never.copy(),
        paying_again_day=first.copy(),
    )


def _avoid_month_end(first: Ints, on_trial: Bools, spec: SimulationSpec) -> Ints:
    """Move starts so that the first bill falls on day 1-28 and every month has a billing day."""
    moved = first.copy()
    for index, day in enumerate(first):
        bill = spec.day(day + (TRIAL_DAYS if on_trial[index] else 0))
        if bill.day > 28:
            moved[index] -= bill.day - 28
    return moved
