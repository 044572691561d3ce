"""Simulated experiments, many at once: accounts drawn into arms, outcomes settled in that order, looks by night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs_platform.lib.permuted_blocks import quotas
from cs_platform.lib.trials import (
    MIN_CONTROL,
    Sums,
    boundary,
    mantel_haenszel,
    ratio_difference,
    small_sample,
)

Array = NDArray[Any]


@dataclass(frozen=True)
class World:
    """`runs` experiments of `accounts` each. `effect` is added to the rate of the treated."""

    runs: int
    accounts: int
    share: float
    base: float
    effect: float = 0.0
    strata: int = 9
    nights: int = 90
    seed: int = 11

    @property
    def looks(self) -> Array:
        """How many outcomes are settled at each night's look."""
        return np.unique(np.linspace(1, self.accounts, self.nights).astype(int))


def drawn(world: World, rng: Any) -> tuple[Array, Array]:
    """(stratum, held out) of every account: permuted blocks inside of each stratum."""
    quota, block = quotas(world.share)
    weights = rng.dirichlet(np.full(world.strata, 2.0))
    stratum = rng.choice(world.strata, size=(world.runs, world.accounts), p=weights)
    held_out = np.zeros(stratum.shape, dtype=bool)
    for s in range(world.strata):
        mine = stratum == s
        blocks = rng.random((world.runs, world.accounts // block + 1, block)).argsort(axis=2) < quota
        place = np.maximum(mine.cumsum(axis=1) - 1, 0)
        held_out |= mine & np.take_along_axis(blocks.reshape(world.runs, -1), place, axis=1)
    return stratum, held_out


def rate_looks(world: World) -> list[Array]:
    """Treated hits, treated, control hits, control: arrays (run, look, stratum)."""
    rng = np.random.default_rng(world.seed)
    stratum, held_out = drawn(world, rng)
    rates = 1 / (1 + np.exp(-np.log(world.base / (1 - world.base)) - np.linspace(-0.4, 0.4, world.strata)))
    hit = rng.random(stratum.shape) < rates[stratum] + world.effect * ~held_out
    return [
        np.stack([_so_far(rows & (stratum == s), world) for s in range(world.strata)], axis=-1)
        for rows in (~held_out & hit, ~held_out, held_out & hit, held_out)
    ]


def _so_far(rows: Array, world: World) -> Array:
    return rows.cumsum(axis=1)[:, world.looks - 1]


def rate_verdicts(world: World, *, corrected: bool = True) -> Array:
    """Whether each (run, look) shows a difference, by the functions that the page uses."""
    parts = rate_looks(world)
    value, error = mantel_haenszel(*parts)
    treated, control = parts[1].sum(axis=-1), parts[3].sum(axis=-1)
    return _decided(world, value, error, np.minimum(treated, control), corrected)


def arr_verdicts(world: World, *, sigma: float = 1.0, corrected: bool = True) -> Array:
    """The same for ARR kept: skewed amounts, some lost, some cut or grown."""
    rng = np.random.default_rng(world.seed)
    _, held_out = drawn(world, rng)
    before = np.exp(rng.normal(0, sigma, held_out.shape))
    stays = rng.random(held_out.shape) < world.base + world.effect * ~held_out
    changed = np.where(rng.random(held_out.shape) < 0.15, rng.uniform(0.6, 1.5, held_out.shape), 1.0)
    after = before * stays * changed
    arms = []
    for rows in (~held_out, held_out):
        values = (np.ones_like(before), before, after, before**2, before * after, after**2)
        arms.append(Sums(*((x * rows).cumsum(axis=1)[:, world.looks - 1] for x in values)))
    value, error = ratio_difference(*arms)
    return _decided(world, value, error, np.minimum(arms[0].number, arms[1].number), corrected)


def _decided(world: World, value: Array, error: Array, smaller: Array, corrected: bool) -> Array:
    if not corrected:
        return (np.abs(value) > 1.96 * error) & (smaller >= MIN_CONTROL)
    widths = np.array([boundary(n / world.accounts) for n in world.looks])
    reach = small_sample(np.broadcast_to(widths, value.shape), np.maximum(smaller, 2)) * error
    return (np.abs(value) > reach) & (smaller >= MIN_CONTROL)
