"""Charts that every report is made of: lines, bars, a pie. Colours are names of the theme ("--chart-1")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Figure = dict[str, Any]
COLOURS = ("--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5")


@dataclass(frozen=True)
class Chart:
    """What the chart component shows. An empty `figure` means there is nothing to draw yet."""

    id: str
    title: str
    reading: str
    figure: Figure = field(default_factory=dict)
    headers: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class Series:
    """One line or set of bars; None is a gap. `texts` are the values in words, for the pointer; `is_points` draws a line
    as marks only."""

    name: str
    values: Sequence[float | int | None]
    texts: Sequence[str] = ()
    colour: str = ""
    is_dotted: bool = False
    is_points: bool = False
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()


def line_chart(
    x: Sequence[Any],
    series: Sequence[Series],
    *,
    x_title: str,
    y_title: str,
    from_zero: bool = True,
    suffix: str = "",
) -> Figure:
    """Lines over names or numbers; a series with `low` and `high` has its band behind it."""
    traces: list[Figure] = []
    for at, one in enumerate(series):
        colour = one.colour or COLOURS[at % len(COLOURS)]
        if one.low:
            traces += _band(x, one, colour)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers" if one.is_points else "lines+markers" if len(x) <= 40 else "lines",
                "name": one.name,
                "x": list(x),
                "y": list(one.values),
                "line": {"color": colour, "width": 2, **({"dash": "dot"} if one.is_dotted else {})},
                "marker": {"size": 10, "color": colour} if one.is_points else {"size": 5},
                "connectgaps": False,
                **_hover(one),
            }
        )
    layout = _layout(x, x_title, y_title, len(series) > 1, suffix)
    if from_zero:
        layout["yaxis"]["rangemode"] = "tozero"
    return {"data": traces, "layout": layout}


def _band(x: Sequence[Any], one: Series, colour: str) -> list[Figure]:
    edge = {
        "type": "scatter",
        "mode": "lines",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [
        {**edge, "x": list(x), "y": list(one.low)},
        {**edge, "x": list(x), "y": list(one.high), "fill": "tonexty", "fillcolor": f"{colour}/0.15"},
    ]


def bar_chart(
    x: Sequence[Any],
    series: Sequence[Series],
    *,
    x_title: str,
    y_title: str,
    stacked: bool = False,
    lying: bool = False,
    suffix: str = "",
) -> Figure:
    """Bars side by side, or stacked with negative ones below the line. `x` are names; long ones want `lying` bars."""
    traces = [
        {
            "type": "bar",
            "name": one.name,
            "x": list(x),
            "y": list(one.values),
            "marker": {"color": one.colour or COLOURS[at % len(COLOURS)]},
            **_hover(one),
        }
        for at, one in enumerate(series)
    ]
    layout = _layout(x, x_title, y_title, len(series) > 1, suffix)
    layout["barmode"] = "relative" if stacked else "group"
    if lying:
        for trace in traces:
            trace |= {
                "orientation": "h",
                "x": trace["y"],
                "y": trace["x"],
                "hovertemplate": trace["hovertemplate"].replace("%{x}", "%{label}"),
            }
        layout["xaxis"], layout["yaxis"] = layout["yaxis"], {**layout["xaxis"], "autorange": "reversed"}
    return {"data": traces, "layout": layout}


def pie_chart(names: Sequence[str], values: Sequence[float | int], texts: Sequence[str]) -> Figure:
    """Shares of a whole, largest first as given; each slice carries its name, so that colour is not needed."""
    trace = {
        "type": "pie",
        "labels": list(names),
        "values": list(values),
        "customdata": list(texts),
        "sort": False,
        "direction": "clockwise",
        "hole": 0.45,
        "textinfo": "label+percent",
        "textposition": "outside",
        "automargin": True,
        "marker": {
            "colors": [_slice(at) for at in range(len(names))],
            "line": {"color": "--color-base-100", "width": 2},
        },
        "hovertemplate": "%{label}: %{customdata}<extra></extra>",
    }
    return {"data": [trace], "layout": {"showlegend": False}}


def _slice(at: int) -> str:
    """Five colours, then the same ones paler."""
    return COLOURS[at % 5] if at < 5 else f"{COLOURS[at % 5]}/0.55"


def _hover(one: Series) -> Figure:
    if one.texts:
        return {
            "customdata": list(one.texts),
            "hovertemplate": "%{x}: %{customdata}<extra>%{fullData.name}</extra>",
        }
    return {"hovertemplate": "%{x}: %{y}<extra>%{fullData.name}</extra>"}


def _layout(x: Sequence[Any], x_title: str, y_title: str, has_legend: bool, suffix: str) -> Figure:
    names = bool(x) and isinstance(x[0], str)
    return {
        "showlegend": has_legend,
        "xaxis": {"title": {"text": x_title}, **({"type": "category"} if names else {})},
        "yaxis": {"title": {"text": y_title}, **({"ticksuffix": suffix} if suffix else {})},
    }
