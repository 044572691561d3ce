"""Running the latent process: the days that happened, and the futures that might."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from health.simulation import engagement, readings
from health.simulation.engagement import Happenings
from health.simulation.lanes import BURN_IN_DAYS, NEVER, Bools, Floats, Lanes, make_lanes
from health.simulation.spec import SimulationSpec

Matrix = NDArray[np.float32]


def stream(seed: int, part: int) -> np.random.Generator:
    """An independent random stream per part, so that a change in one part leaves the others as they were."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(part,)))


@dataclass(frozen=True, slots=True)
class History:
    """What happened, day by day. Matrices have shape (days, accounts)."""

    spec: SimulationSpec
    first: Lanes  # before the first day
    last: Lanes  # after the last day
    activity: Matrix
    energy: Matrix
    frustration: Matrix
    alive: NDArray[np.bool_]
    champion: NDArray[np.bool_]
    happenings: tuple[tuple[int, Happenings], ...]

    def each(self, kind: str) -> Iterator[tuple[int, int, float]]:
        """(day, lane, amount) of every happening of one kind in time order; amount 0 where none is kept."""
        for day, seen in self.happenings:
            lanes = seen.lanes.get(kind)
            if lanes is not None:
                amounts = seen.amounts.get(kind, np.zeros(lanes.size))
                for lane, amount in zip(lanes.tolist(), amounts.tolist(), strict=True):
                    yield day, lane, amount


def _warmed_up(spec: SimulationSpec) -> tuple[Lanes, np.random.Generator]:
    """The accounts as they stand when the period begins, and the stream that continues from there."""
    rng = stream(spec.seed, 0)
    lanes = make_lanes(spec, rng)
    lanes.alive, lanes.energy = lanes.first_day < -BURN_IN_DAYS, engagement.FIT * lanes.fit
    for day in range(-BURN_IN_DAYS, 0):
        engagement.step(lanes, day, spec, rng, ends=False)
    return lanes, rng


def run(spec: SimulationSpec) -> History:
    """Simulate the whole period."""
    lanes, rng = _warmed_up(spec)
    first = lanes.take(np.arange(lanes.size))
    shape = (spec.days, spec.accounts)
    activity, energy, frustration = (np.zeros(shape, dtype=np.float32) for _ in range(3))
    alive, champion = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    happenings = []
    for day in range(spec.days):
        happenings.append((day, engagement.step(lanes, day, spec, rng)))
        activity[day] = readings.activity(lanes, day)
        energy[day] = lanes.energy
        frustration[day] = lanes.frustration
        alive[day] = lanes.alive
        champion[day] = lanes.champion_back == NEVER
    return History(spec, first, lanes, activity, energy, frustration, alive, champion, tuple(happenings))


def state_at(spec: SimulationSpec, as_of: date) -> tuple[Lanes, int]:
    """The states before the first moment of ``as_of``, and its day index. ValueError outside the period."""
    day = (as_of - spec.start).days
    if not 0 <= day <= spec.days:
        raise ValueError(f"as_of lies outside {spec.start} to {spec.end}")
    lanes, rng = _warmed_up(spec)
    for past in range(day):
        engagement.step(lanes, past, spec, rng)
    return lanes, day


def true_probability(spec: SimulationSpec, as_of: date, horizon_days: int, *, futures: int = 200) -> Floats:
    """Probability per account that its subscription ends in the ``horizon_days`` from ``as_of`` on.

    Found by letting every account live through ``futures`` independent futures from its state at ``as_of``
    (standard error at most 0.5 / sqrt(futures)). Shape (accounts,), NaN where an account is no customer then.
    """
    lanes, day = state_at(spec, as_of)
    present = np.flatnonzero(lanes.alive)
    result = np.full(lanes.size, np.nan)
    if present.size:
        branched = lanes.take(np.repeat(present, futures))
        gone = _gone_within(branched, day, horizon_days, spec)
        result[present] = gone.reshape(present.size, futures).mean(axis=1)
    return result


def _gone_within(lanes: Lanes, day: int, horizon_days: int, spec: SimulationSpec) -> Bools:
    rng = stream(spec.seed, 1000 + day)
    gone = np.zeros(lanes.size, dtype=bool)
    for future in range(day, day + horizon_days):
        engagement.step(lanes, future, spec, rng)
        gone |= ~lanes.alive
    return gone
