"""Exchange rates by date, and exact valuation of many amounts at once."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from cs_platform.lib.money import convert, minor_places

Ints = NDArray[np.int64]
_DOUBT = 8 * float(np.finfo(float).eps)


def valued(amounts: Ints, currency: str, into: str, rate: Decimal) -> Ints:
    """Minor units of `currency` in minor units of `into`, halves away from zero, exactly as `lib.money.convert`.

    Done in floating point; the few amounts so close to a half that it could be wrong are converted one by one.
    """
    if currency == into:
        return amounts
    factor = rate.scaleb(minor_places(into) - minor_places(currency))
    exact = np.abs(amounts) * float(factor)
    whole = np.floor(exact + 0.5)
    doubtful = np.abs(exact - np.floor(exact) - 0.5) <= _DOUBT * exact + 1e-9
    found = (np.sign(amounts) * whole).astype(np.int64)
    for at in np.flatnonzero(doubtful & (amounts != 0)).tolist():
        found[at] = convert(int(amounts[at]), currency, into, rate)
    return found


class DatedRates:
    """For each currency the rates by the instant from which they hold.

    `rows`: (currency, first instant of `on_date` in the workspace's zone, units of `report` for one unit).
    """

    def __init__(self, report: str, rows: Iterable[tuple[str, int, Decimal]]) -> None:
        self.report = report
        found: dict[str, list[tuple[int, Decimal]]] = {}
        for currency, instant, rate in rows:
            if currency != report:
                found.setdefault(currency, []).append((instant, rate))
        self._instants = {c: np.array([i for i, _ in sorted(r)], dtype=np.int64) for c, r in found.items()}
        self._rates = {c: [rate for _, rate in sorted(r)] for c, r in found.items()}

    def has(self, currency: str) -> bool:
        """Whether any rate of the currency is known."""
        return currency == self.report or currency in self._rates

    def before(self, currency: str, instant: int) -> Decimal | None:
        """The rate in force just before the instant: a balance "as of" a day knows only the days before it."""
        return self._at(currency, self._place(currency, np.array([instant]), "left"))

    def between(self, currency: str, start: int, end: int) -> Decimal | None:
        """The rate in force before `start`; where there was none yet, the first one before `end`."""
        known = self.before(currency, start)
        if known is not None or currency not in self._rates:
            return known
        return self._rates[currency][0] if self._instants[currency][0] < end else None

    def value_then(self, amounts: Ints, currency: str, instants: Ints) -> Ints:
        """Each amount by the rate that held at its own instant; 0 where there was none (see `unpriced`)."""
        if currency == self.report:
            return amounts
        found = np.zeros(amounts.size, dtype=np.int64)
        places = self._place(currency, instants, "right")
        for place in np.unique(places).tolist():
            if place >= 0:
                here = places == place
                found[here] = valued(amounts[here], currency, self.report, self._rates[currency][place])
        return found

    def _place(self, currency: str, instants: Ints, side: str) -> Ints:
        if currency not in self._instants:
            return np.full(instants.size, -1, dtype=np.int64)
        return np.searchsorted(self._instants[currency], instants, side=side).astype(np.int64) - 1  # type: ignore[call-overload]

    def _at(self, currency: str, place: Ints) -> Decimal | None:
        if currency == self.report:
            return Decimal(1)
        return self._rates[currency][int(place[0])] if place[0] >= 0 else None
