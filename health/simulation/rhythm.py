"""When people work: weekdays, public holidays, summer and year's end, by country."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from health.simulation.spec import SimulationSpec

WEEKDAY = np.array([0.98, 1.08, 1.10, 1.05, 0.86, 0.07, 0.06])
HOLIDAY = 0.08

# (month, day) of holidays with a fixed date; the Korean lunar ones follow by year.
_FIXED: dict[str, frozenset[tuple[int, int]]] = {
    "US": frozenset({(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)}),
    "CA": frozenset({(1, 1), (7, 1), (12, 25), (12, 26)}),
    "GB": frozenset({(1, 1), (12, 25), (12, 26)}),
    "DE": frozenset({(1, 1), (5, 1), (10, 3), (12, 25), (12, 26)}),
    "NL": frozenset({(1, 1), (4, 27), (12, 25), (12, 26)}),
    "KR": frozenset({(1, 1), (3, 1), (5, 5), (6, 6), (8, 15), (10, 3), (10, 9), (12, 25)}),
}
_LUNAR_KR = frozenset(
    date(year, month, day)
    for year, month, day in (
        *((2024, 2, d) for d in (9, 10, 11, 12)),
        *((2024, 9, d) for d in (16, 17, 18)),
        *((2025, 1, d) for d in (28, 29, 30)),
        *((2025, 10, d) for d in (5, 6, 7, 8)),
        *((2026, 2, d) for d in (16, 17, 18)),
        *((2026, 9, d) for d in (24, 25, 26)),
        *((2027, 2, d) for d in (6, 7, 8, 9)),
        *((2027, 9, d) for d in (14, 15, 16)),
    )
)
COUNTRIES = tuple(_FIXED)


def _season(day: date, country: str) -> float:
    """Share of normal work in a season: summer holidays and the days around New Year."""
    if (day.month == 12 and day.day >= 23) or (day.month == 1 and day.day <= 2):
        return 0.7 if country == "KR" else 0.3
    summer = {7: 0.92, 8: 0.84}
    if country in {"DE", "NL"}:
        summer = {7: 0.78, 8: 0.80}
    return summer.get(day.month, 1.0)


def day_factor(day: date, country: str) -> float:
    """Expected work on this day as a share of an average weekday."""
    factor = float(WEEKDAY[day.weekday()]) * _season(day, country)
    is_holiday = (day.month, day.day) in _FIXED[country] or (country == "KR" and day in _LUNAR_KR)
    return factor * (HOLIDAY if is_holiday else 1.0)


def rhythm(spec: SimulationSpec) -> NDArray[np.float64]:
    """Work factor of every day and country, shape (days, countries), columns as in COUNTRIES."""
    days = [spec.day(index) for index in range(spec.days)]
    return np.array([[day_factor(day, country) for country in COUNTRIES] for day in days])
