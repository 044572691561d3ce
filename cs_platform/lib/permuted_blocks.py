"""Randomisation in permuted blocks whose random choices come from a seeded hash.

The n-th unit of a stratum is in block n // size; which places of a block go to which arm is a
permutation fixed by (seed, stratum, block). So every full block has exactly the planned shares,
each single unit has the planned chance whatever the size of its stratum (nobody is rounded away),
and a draw can be repeated and checked by anyone who knows the seed.
Source: Zelen 1974, J. Chron. Dis. 27; Matts & Lachin 1988, Controlled Clinical Trials 9.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from fractions import Fraction

# A longer block is harder to guess but balances later; shares such as 0.10, 0.15, 0.25 and 1/3 fit.
LARGEST_BLOCK = 20


def quotas(holdout_share: float) -> tuple[int, int]:
    """(held out, block size) of the closest share that fits a block. Raises ValueError outside (0, 1)."""
    if not 0 < holdout_share < 1:
        raise ValueError("a holdout share lies between 0 and 1")
    share = Fraction(holdout_share).limit_denominator(LARGEST_BLOCK)
    if share in (0, 1):
        raise ValueError(f"the smallest holdout share is {1 / LARGEST_BLOCK:.0%}")
    return share.numerator, share.denominator


def arm_at(seed: str, stratum: str, position: int, arms: Sequence[tuple[str, int]]) -> str:
    """The arm of the unit at `position` (from 0) of a stratum; `arms` are (name, places in a block)."""
    places = [name for name, quota in arms for _ in range(quota)]
    block, place = divmod(position, len(places))
    order = sorted(range(len(places)), key=lambda i: _digest(seed, stratum, block, i))
    return places[order[place]]


def shuffled(seed: str, ids: Iterable[int]) -> list[int]:
    """The ids without repeats in an order that only the seed decides, whatever order they came in."""
    return sorted(set(ids), key=lambda i: _digest(seed, "order", i))


def _digest(*parts: object) -> bytes:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
