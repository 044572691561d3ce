"""Figures of the experiment pages: intervals side by side, and how the interval narrowed over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts.charts import Chart, Figure
from cs_platform.lib.formats import number
from cs_platform.lib.trials import Estimate
from health.queries.experiment_pages import Checkpoint, Row
from health.queries.experiment_results import Pooled
from health.queries.experiment_words import interval_words, points

_ZERO = {"type": "line", "line": {"color": "--muted", "width": 1, "dash": "dot"}}
LONGEST_NAME = 26


def lift_chart(rows: Sequence[Row], together: Sequence[Pooled]) -> Chart:
    """One line per experiment: the difference with its interval, the pooled ones at the bottom."""
    title = gettext("Difference against the held-out group")
    known = [
        (_short(row.experiment.name), row.result.lift) for row in rows if _says_something(row.result.lift)
    ]
    for part in together:
        if part.lift:
            known.append((gettext("%(n)s together") % {"n": number(part.experiments)}, part.lift))
    lines = [(name, lift) for name, lift in known if lift]
    if not lines:
        return Chart("experiment-lifts", title, gettext("The picture begins with the first outcomes."))
    decided = sum(lift.is_decided for _, lift in lines)
    reading = gettext(
        "Right of zero is better for the treated. An interval that crosses zero shows no difference:"
        " %(open)s of %(all)s do."
    ) % {"open": number(len(lines) - decided), "all": number(len(lines))}
    headers = [gettext("Experiment"), gettext("Difference in points"), gettext("95 % interval")]
    table = [[name, points(lift.value), interval_words(lift.interval)] for name, lift in lines]
    return Chart("experiment-lifts", title, reading, _forest(lines), headers, table)


def _forest(lines: list[tuple[str, Estimate]]) -> Figure:
    # Equal names would share a line; an invisible character keeps them apart.
    names = [name + "\u200b" * place for place, (name, _) in enumerate(lines)]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [round(100 * lift.value, 2) for _, lift in lines],
        "y": names,
        "marker": {"color": "--chart-1", "size": 9},
        "error_x": _bars([lift for _, lift in lines]),
        "hovertemplate": "%{y}: %{x}<extra></extra>",
    }
    layout = {
        "showlegend": False,
        "xaxis": {"title": {"text": gettext("Difference (percentage points)")}, "zeroline": False},
        "yaxis": {"autorange": "reversed", "automargin": True, "type": "category"},
        "shapes": [{**_ZERO, "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1}],
    }
    return {"data": [trace], "layout": layout}


def _bars(lifts: list[Estimate]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [round(100 * (lift.interval.high - lift.value), 2) for lift in lifts],
        "arrayminus": [round(100 * (lift.value - lift.interval.low), 2) for lift in lifts],
        "color": "--chart-1",
        "thickness": 2,
        "width": 5,
    }


def narrowing_chart(days: Sequence[Checkpoint]) -> Chart:
    """The difference by the day on which it was known, with the interval of that day."""
    title = gettext("What the page showed, day by day")
    known = [(day, day.lift) for day in days if day.lift is not None]
    if len(known) < 2:
        return Chart(
            "experiment-narrowing",
            title,
            gettext("The picture begins when ten held-out accounts have an outcome."),
        )
    x = [day.day.isoformat() for day, _ in known]
    low = [round(100 * lift.interval.low, 2) for _, lift in known]
    high = [round(100 * lift.interval.high, 2) for _, lift in known]
    traces: list[dict[str, Any]] = [
        _edge(x, high),
        {**_edge(x, low), "fill": "tonexty", "fillcolor": "--chart-1/0.15"},
        {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": [round(100 * lift.value, 2) for _, lift in known],
            "line": {"color": "--chart-1", "width": 2},
            "hovertemplate": "%{x|%Y-%m-%d}: %{y}<extra></extra>",
        },
    ]
    reach = max(abs(value) for lift in (known[-1][1],) for value in (lift.interval.low, lift.interval.high))
    limit = min(100.0, max(100 * reach * 2.5, 10.0))
    layout = {
        "showlegend": False,
        "xaxis": {"title": {"text": gettext("Day (month-day)")}, "type": "date", "tickformat": "%m-%d"},
        "yaxis": {"title": {"text": gettext("Points, treated minus held out")}, "range": [-limit, limit]},
        "shapes": [{**_ZERO, "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}],
    }
    reading = gettext(
        "The band is the 95 %% interval. It is drawn so that looking every day is safe: wide at first,"
        " %(interval)s now."
    ) % {"interval": interval_words(known[-1][1].interval)}
    headers = [gettext("Day"), gettext("Outcomes"), gettext("Difference in points"), gettext("95 % interval")]
    rows = [
        [date_format(day.day), number(day.settled), points(lift.value), interval_words(lift.interval)]
        for day, lift in reversed(known)
    ]
    return Chart("experiment-narrowing", title, reading, {"data": traces, "layout": layout}, headers, rows)


def _edge(x: list[str], y: list[float]) -> dict[str, Any]:
    line = {"color": "--chart-1/0.3", "width": 1}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "hoverinfo": "skip"}


def _says_something(lift: Estimate | None) -> bool:
    """An interval over everything that is possible is no picture."""
    return lift is not None and (lift.interval.low > -1 or lift.interval.high < 1)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
