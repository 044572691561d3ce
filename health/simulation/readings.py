"""Readings of a state: how much an account uses the product, when it renews, how likely it is to leave."""

from __future__ import annotations

from datetime import date

import numpy as np

from health.simulation.lanes import NEVER, TRIAL_DAYS, Bools, Floats, Ints, Lanes

_BASE_LOG_HAZARD = np.array([-10.5, -11.1, -10.8, -10.9])  # by plan
_CHANNEL_EFFECT = np.array([-1.3, -0.4, 0.0, 1.0])  # as in CHANNELS
_ANNUAL_LIFT = 1.3
_MAX_HAZARD = 0.06


def adoption(lanes: Lanes, day: int) -> Floats:
    """Share of full usage that an account has grown into by this day, 0-1."""
    age = np.maximum(day - lanes.paying_again_day, 0)
    grown: Floats = lanes.ceiling * (0.12 + 0.88 * (1 - np.exp(-age / lanes.ramp_days)))
    return grown


def activity(lanes: Lanes, day: int) -> Floats:
    """Expected usage relative to a fully adopted, average account; 0 where nobody is a customer."""
    away = np.where(lanes.champion_back < NEVER, 0.75, 1.0)
    winding_down = np.where(lanes.notice_day < NEVER, 0.55, 1.0)
    level: Floats = lanes.alive * adoption(lanes, day) * np.exp(lanes.energy) * away * winding_down
    return level


def is_bill_day(lanes: Lanes, today: date) -> Bools:
    """Where a billing period begins today."""
    due: Bools = (lanes.bill_day == today.day) & (~lanes.annual | (lanes.bill_month == today.month))
    return due


def days_to_renewal(lanes: Lanes, today: date) -> Ints:
    """Days to the next bill, exact for annual terms up to the varying length of months."""
    in_month = (lanes.bill_day - today.day) % 30
    of_year = (lanes.bill_month - today.month) * 30.4 + lanes.bill_day - today.day
    days: Ints = np.where(lanes.annual, np.rint(of_year % 365), in_month).astype(np.int64)
    return days


def hazard(lanes: Lanes, day: int, today: date) -> Floats:
    """Probability of deciding to leave today, given the state. Zero on trial and after notice."""
    stalled = np.where(day - lanes.paying_again_day > 30, 1 - np.minimum(adoption(lanes, day), 1), 0)
    log = (
        _BASE_LOG_HAZARD[lanes.plan]
        - 3.0 * lanes.energy
        + 1.5 * lanes.frustration
        + 1.6 * lanes.pressure
        + 1.1 * (lanes.champion_back < NEVER)
        + 1.4 * (1 - lanes.depth)
        + 2.4 * stalled
        + _CHANNEL_EFFECT[lanes.channel]
        - 1.1 * lanes.guided
    )
    left = days_to_renewal(lanes, today)
    # Who is bound for a year decides in the weeks before the renewal.
    timing = np.where(lanes.annual, np.exp(-(((left - 35) / 40.0) ** 2)) * 3.4 * _ANNUAL_LIFT + 0.005, 1.0)
    free = lanes.alive & (lanes.notice_day == NEVER) & (day >= lanes.paying_again_day + TRIAL_DAYS)
    probability: Floats = np.where(free, np.minimum(np.exp(log) * timing, _MAX_HAZARD), 0.0)
    return probability
