"""What a section of the report page is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from accounts.charts.base import Chart


@dataclass(frozen=True)
class Formula:
    """How a number came about: in words, with the numbers of this page in it, and whose formula it is."""

    label: str
    words: str
    numbers: str
    source: str


@dataclass(frozen=True)
class Kpi:
    """One number of the strip: its denominator or amount in `note`, its change in points or percent in `change`.

    `good` is the welcome direction: "up", "down" or "none". `tab` and `report` say where it is explained.
    """

    label: str
    value: str
    note: str
    formula: Formula
    change: float | None = None
    change_unit: str = ""
    good: str = "up"
    tab: str = ""
    report: str = ""


@dataclass(frozen=True)
class HeatCell:
    """A cell of a heat map: its share 0..1 (None = not known yet) and what it says when pointed at."""

    share: float | None
    text: str
    detail: str = ""


@dataclass(frozen=True)
class Heat:
    """A heat map as a table: the first column names the row."""

    caption: str
    headers: Sequence[str]
    rows: Sequence[tuple[str, Sequence[HeatCell]]]


@dataclass(frozen=True)
class LateRows:
    """Rows of a sheet that are made when the sheet is asked for: a page shows ten of thousands."""

    make: Callable[[], Iterable[Sequence[object]]]

    def __iter__(self) -> Iterator[Sequence[object]]:
        return iter(self.make())


@dataclass(frozen=True)
class ReportBody:
    """One report: charts with their readings, formulas, remarks, and the sheet that is exported as CSV.

    `empty` is said instead of everything else where there is nothing to show; `sheet` holds plain values; `is_wide` takes
    the whole width of the page.
    """

    charts: Sequence[Chart] = ()
    formulas: Sequence[Formula] = ()
    notes: Sequence[str] = ()
    heat: Heat | None = None
    headers: Sequence[str] = ()
    sheet: Iterable[Sequence[object]] = field(default=())
    empty: str = ""
    is_wide: bool = False
