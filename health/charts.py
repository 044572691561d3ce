"""Figures of the health pages, as the plain dictionaries that plotly.js reads.

Colours are names of the theme ("--chart-1"); fonts, grid and backgrounds are set in static/js/charts.js.
Every chart comes with a sentence that reads it and the rows of the table behind it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from accounts.charts import Chart
from cs_platform.lib.formats import number, percent
from health.models import HealthBand
from health.queries.account_history import ScorePoint, UsageDay, week_of
from health.queries.bands import band_word

BAND_COLOURS = {
    HealthBand.RED: "--red-mark",
    HealthBand.YELLOW: "--amber-mark",
    HealthBand.GREEN: "--green-mark",
}


def score_chart(points: Sequence[ScorePoint], *, yellow: float = 50, green: float = 75) -> Chart:
    """Health score by day with the bands behind it; a dotted line where another scorecard version began."""
    title = gettext("Health score, 180 days")
    known = [point for point in points if point.score is not None]
    if len(known) < 2:
        return Chart("score-history", title, gettext("The history begins with the second night."))
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": gettext("Health score"),
        "x": [point.as_of.isoformat() for point in points],
        "y": [None if point.score is None else round(point.score, 1) for point in points],
        "line": {"color": "--chart-1", "width": 2},
        "hovertemplate": "%{x|%Y-%m-%d}: %{y}<extra></extra>",
    }
    layout = {
        "showlegend": False,
        "xaxis": {"title": {"text": gettext("Day (month-day)")}, "type": "date", "tickformat": "%m-%d"},
        "yaxis": {"title": {"text": gettext("Score, 0–100")}, "range": [0, 100]},
        "shapes": [*_bands(yellow, green), *_version_lines(points)],
    }
    return Chart(
        id="score-history",
        title=title,
        reading=_score_reading(known),
        figure={"data": [line], "layout": layout},
        headers=[gettext("Week of"), gettext("Score"), gettext("Band")],
        rows=_weekly_scores(known),
    )


def _bands(yellow: float, green: float) -> list[dict[str, Any]]:
    edges = [(0, yellow, HealthBand.RED), (yellow, green, HealthBand.YELLOW), (green, 100, HealthBand.GREEN)]
    return [
        {
            "type": "rect",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": low,
            "y1": high,
            "line": {"width": 0},
            "fillcolor": f"{BAND_COLOURS[band]}/0.08",
            "layer": "below",
        }
        for low, high, band in edges
    ]


def _version_lines(points: Sequence[ScorePoint]) -> list[dict[str, Any]]:
    starts = [
        later.as_of for earlier, later in itertools.pairwise(points) if earlier.version != later.version
    ]
    return [
        {
            "type": "line",
            "x0": day.isoformat(),
            "x1": day.isoformat(),
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": {"color": "--muted", "width": 1, "dash": "dot"},
        }
        for day in starts
    ]


def _score_reading(known: Sequence[ScorePoint]) -> str:
    first, last = known[0], known[-1]
    values = {
        "before": number(first.score),
        "after": number(last.score),
        "day": date_format(first.as_of),
        "band": band_word(last.band),
    }
    move = (last.score or 0) - (first.score or 0)
    if abs(move) < 1:
        return gettext("Unchanged at %(after)s since %(day)s (%(band)s).") % values
    if move < 0:
        return gettext("Fell from %(before)s on %(day)s to %(after)s now (%(band)s).") % values
    return gettext("Rose from %(before)s on %(day)s to %(after)s now (%(band)s).") % values


def _weekly_scores(known: Sequence[ScorePoint]) -> list[list[str]]:
    last_of_week = {week_of(point.as_of): point for point in known}
    rows = [
        [date_format(week), number(point.score), band_word(point.band)]
        for week, point in last_of_week.items()
    ]
    return rows[::-1]


def usage_chart(days: Sequence[UsageDay]) -> Chart:
    """Events a day as bars, active people a day as a line."""
    title = gettext("Usage a day, 180 days")
    if not days:
        return Chart("usage-history", title, gettext("No event has come in for this account in 180 days."))
    x = [day.day.isoformat() for day in days]
    bars = {
        "type": "bar",
        "name": gettext("Events"),
        "x": x,
        "y": [day.events for day in days],
        "marker": {"color": "--chart-1/0.45"},
        "hovertemplate": "%{x|%Y-%m-%d}: %{y}<extra></extra>",
    }
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": gettext("Active people a day, mean of 7 days"),
        "x": x,
        "y": _means([day.active_contacts for day in days], 7),
        "yaxis": "y2",
        "line": {"color": "--chart-2", "width": 2},
        "hovertemplate": "%{x|%Y-%m-%d}: %{y}<extra></extra>",
    }
    people = {
        "title": {"text": gettext("People")},
        "overlaying": "y",
        "side": "right",
        "rangemode": "tozero",
        "showgrid": False,
        "nticks": 4,
    }
    layout = {
        "xaxis": {"title": {"text": gettext("Day (month-day)")}, "type": "date", "tickformat": "%m-%d"},
        "yaxis": {"title": {"text": gettext("Events")}, "rangemode": "tozero"},
        "yaxis2": people,
        "bargap": 0.1,
    }
    return Chart(
        id="usage-history",
        title=title,
        reading=_usage_reading(days),
        figure={"data": [bars, line], "layout": layout},
        headers=[gettext("Week of"), gettext("Events"), gettext("Active days"), gettext("Most people a day")],
        rows=_weekly_usage(days),
    )


def _means(values: Sequence[int], size: int) -> list[float]:
    """Mean of each value and the ones before it, `size` together."""
    sums = list(itertools.accumulate(values, initial=0))
    starts = [max(end - size, 0) for end in range(1, len(sums))]
    return [round((sums[end] - sums[start]) / (end - start), 2) for end, start in enumerate(starts, 1)]


def _usage_reading(days: Sequence[UsageDay]) -> str:
    now, before = days[-28:], days[-56:-28]
    events, earlier = sum(day.events for day in now), sum(day.events for day in before)
    active = sum(day.events > 0 for day in now)
    said = ngettext(
        "Used on %(days)d of the last 28 days", "Used on %(days)d of the last 28 days", active
    ) % {"days": active}
    if not earlier:
        return gettext("%(said)s; nothing in the 28 days before.") % {"said": said}
    share = events / earlier - 1
    if abs(share) < 0.005:
        return gettext("%(said)s, as many events as in the 28 days before.") % {"said": said}
    words = gettext("%(said)s, %(share)s fewer events than in the 28 days before.")
    if share > 0:
        words = gettext("%(said)s, %(share)s more events than in the 28 days before.")
    return words % {"said": said, "share": percent(abs(share))}


def _weekly_usage(days: Sequence[UsageDay]) -> list[list[str]]:
    weeks: dict[date, list[UsageDay]] = {}
    for day in days:
        weeks.setdefault(week_of(day.day), []).append(day)
    rows = [
        [
            date_format(week),
            number(sum(day.events for day in found)),
            number(sum(day.events > 0 for day in found)),
            number(max(day.active_contacts for day in found)),
        ]
        for week, found in weeks.items()
    ]
    return rows[::-1]


def distribution_chart(counts: Sequence[int], *, yellow: float = 50, green: float = 75) -> Chart:
    """Accounts by health score, in steps of `100 / len(counts)` points."""
    title = gettext("Accounts by health score")
    step = 100 / len(counts)
    total = sum(counts)
    if not total:
        return Chart("score-distribution", title, gettext("No account has a score yet."))
    labels = [f"{round(i * step)}–{round((i + 1) * step)}" for i in range(len(counts))]
    middles = [(i + 0.5) * step for i in range(len(counts))]
    colours = [_band_colour((i + 0.5) * step, yellow, green) for i in range(len(counts))]
    bars = {
        "type": "bar",
        "x": middles,
        "y": list(counts),
        "customdata": labels,
        "marker": {"color": colours},
        "hovertemplate": "%{customdata}: %{y}<extra></extra>",
    }
    layout = {
        "xaxis": {
            "title": {"text": gettext("Health score (higher is better)")},
            "range": [0, 100],
            "tickvals": [0, yellow, green, 100],
        },
        "yaxis": {"title": {"text": gettext("Accounts")}, "rangemode": "tozero"},
        "bargap": 0.08,
        "showlegend": False,
    }
    low = sum(count for i, count in enumerate(counts) if (i + 0.5) * step < yellow)
    reading = gettext("%(share)s of the scored accounts are below %(edge)s.") % {
        "share": percent(low / total),
        "edge": number(yellow),
    }
    rows = [[label, number(count)] for label, count in zip(labels, counts, strict=True)]
    return Chart(
        "score-distribution",
        title,
        reading,
        {"data": [bars], "layout": layout},
        [gettext("Score"), gettext("Accounts")],
        rows,
    )


def _band_colour(score: float, yellow: float, green: float) -> str:
    return BAND_COLOURS[
        HealthBand.RED if score < yellow else HealthBand.YELLOW if score < green else HealthBand.GREEN
    ]


def movement_chart(days: Sequence[tuple[date, dict[str, int]]]) -> Chart:
    """Share of customers in each band by day, stacked."""
    title = gettext("Bands, week by week")
    if len(days) < 2:
        return Chart("band-movement", title, gettext("The movement shows after the second week."))
    bands = (HealthBand.RED, HealthBand.YELLOW, HealthBand.GREEN)
    traces = [
        {
            "type": "bar",
            "name": band_word(band),
            "x": [f"{day:%m-%d}" for day, _ in days],
            "y": [counts.get(band, 0) for _, counts in days],
            "marker": {"color": BAND_COLOURS[band]},
            "hovertemplate": "%{x}: %{y}<extra>%{fullData.name}</extra>",
        }
        for band in bands
    ]
    layout = {
        "barmode": "stack",
        "xaxis": {"title": {"text": gettext("Night (month-day)")}, "type": "category"},
        "yaxis": {"title": {"text": gettext("Accounts")}, "rangemode": "tozero"},
    }
    red = [counts.get(HealthBand.RED, 0) for _, counts in days]
    headers = [gettext("Night"), *[band_word(band) for band in bands]]
    rows = [
        [date_format(day), *[number(counts.get(band, 0)) for band in bands]] for day, counts in reversed(days)
    ]
    return Chart(
        "band-movement", title, _movement_reading(red), {"data": traces, "layout": layout}, headers, rows
    )


def _movement_reading(red: Iterable[int]) -> str:
    first, *_, last = red
    values = {"before": first, "after": last}
    if first == last:
        return gettext("As many red accounts as then: %(after)d.") % values
    if last > first:
        return gettext("Red accounts rose from %(before)d to %(after)d.") % values
    return gettext("Red accounts fell from %(before)d to %(after)d.") % values


def calibration_chart(bins: Sequence[dict[str, float]]) -> Chart:
    """Predicted against observed churn in bins of equal size; the diagonal is perfect."""
    title = gettext("Of accounts given a probability, how many left")
    if not bins:
        return Chart("calibration", title, gettext("There is nothing to compare yet."))
    predicted = [round(100 * row["predicted"], 2) for row in bins]
    observed = [round(100 * row["observed"], 2) for row in bins]
    top = max(*predicted, *observed, *(100 * row["high"] for row in bins)) * 1.05
    points = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": gettext("Observed"),
        "x": predicted,
        "y": observed,
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [round(100 * row["high"] - y, 2) for row, y in zip(bins, observed, strict=True)],
            "arrayminus": [round(y - 100 * row["low"], 2) for row, y in zip(bins, observed, strict=True)],
            "color": "--muted",
        },
        "line": {"color": "--chart-1", "width": 2},
    }
    diagonal = {
        "type": "scatter",
        "mode": "lines",
        "name": gettext("Perfect"),
        "x": [0, top],
        "y": [0, top],
        "line": {"color": "--muted", "dash": "dot", "width": 1},
        "hoverinfo": "skip",
    }
    layout = {
        "showlegend": False,
        "xaxis": {"title": {"text": gettext("Predicted (%)")}, "range": [0, top]},
        "yaxis": {"title": {"text": gettext("Observed (%)")}, "range": [0, top]},
    }
    worst = max(abs(x - y) for x, y in zip(predicted, observed, strict=True))
    reading = gettext("The largest gap between predicted and observed is %(gap)s percentage points.") % {
        "gap": number(worst, 1)
    }
    rows = [
        [
            percent(row["predicted"], 1),
            percent(row["observed"], 1),
            f"{percent(row['low'], 1)} – {percent(row['high'], 1)}",
            number(row["rows"]),
        ]
        for row in bins
    ]
    headers = [gettext("Predicted"), gettext("Observed"), gettext("95 % interval"), gettext("Rows")]
    return Chart("calibration", title, reading, {"data": [diagonal, points], "layout": layout}, headers, rows)
