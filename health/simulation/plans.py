"""The price list of the simulated vendor, a work-reporting tool sold by the seat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Minor units per seat and month; won has no minor unit.
_PRICES: dict[str, tuple[int, int, int, int]] = {
    "USD": (1900, 3900, 6900, 9900),
    "EUR": (1800, 3600, 6400, 9200),
    "GBP": (1600, 3200, 5600, 8000),
    "KRW": (24000, 49000, 87000, 125000),
}
CURRENCIES = tuple(_PRICES)
ANNUAL_DISCOUNT = 0.15
SMB, MID, ENTERPRISE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan on the price list; ``unit_minor`` is the price of a seat and month by currency."""

    code: str
    name: str
    segment: int
    seats_low: int
    seats_high: int
    unit_minor: dict[str, int]


def _plan(index: int, code: str, segment: int, low: int, high: int) -> Plan:
    prices = {currency: row[index] for currency, row in _PRICES.items()}
    return Plan(code, code.capitalize(), segment, low, high, prices)


PLANS: tuple[Plan, ...] = (
    _plan(0, "starter", SMB, 2, 6),
    _plan(1, "team", SMB, 4, 18),
    _plan(2, "business", MID, 12, 45),
    _plan(3, "enterprise", ENTERPRISE, 30, 120),
)
PLAN_SHARES: NDArray[np.float64] = np.array([0.33, 0.37, 0.21, 0.09])
SEGMENT_OF_PLAN: NDArray[np.int64] = np.array([plan.segment for plan in PLANS])


def draw_plans(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Plan index of each new account."""
    plans: NDArray[np.int64] = rng.choice(len(PLANS), size=count, p=PLAN_SHARES)
    return plans


def draw_seats(plans: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Seats bought at first, many small and few large within a plan's range."""
    low = np.array([plan.seats_low for plan in PLANS])[plans]
    high = np.array([plan.seats_high for plan in PLANS])[plans]
    seats: NDArray[np.int64] = np.rint(low * (high / low) ** rng.beta(1.4, 2.0, plans.size)).astype(np.int64)
    return seats


def mrr_minor(*, plan: int, seats: int, currency: str, annual: bool, factor: float) -> int:
    """Monthly recurring revenue in minor units; ``factor`` carries discount and price changes."""
    discount = 1 - ANNUAL_DISCOUNT if annual else 1.0
    return round(PLANS[plan].unit_minor[currency] * seats * discount * factor)
