"""Members of a segment over time, with who came and went."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts.charts.base import Chart
from accounts.queries.segment_pages import Day
from cs_platform.lib.formats import number


def members_chart(days: Sequence[Day]) -> Chart:
    """The count at the end of each day as a line; entered above and left below zero as bars."""
    title = gettext("Members, 90 days")
    first = next((at for at, day in enumerate(days) if day.members or day.left), len(days))
    days = days[first:]
    if len(days) < 2:
        return Chart("segment-members", title, gettext("The history begins with the second day."))
    x = [day.day.isoformat() for day in days]
    bar = {"type": "bar", "x": x, "yaxis": "y2", "hovertemplate": "%{x|%Y-%m-%d}: %{y}<extra></extra>"}
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": gettext("Members"),
            "x": x,
            "y": [day.members for day in days],
            "line": {"color": "--chart-1", "width": 2, "shape": "hv"},
            "hovertemplate": "%{x|%Y-%m-%d}: %{y}<extra></extra>",
        },
        {
            **bar,
            "name": gettext("Entered"),
            "y": [day.entered for day in days],
            "marker": {"color": "--chart-2"},
        },
        {**bar, "name": gettext("Left"), "y": [-day.left for day in days], "marker": {"color": "--chart-3"}},
    ]
    layout = {
        "barmode": "relative",
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.12},
        "xaxis": {
            "title": {"text": gettext("Day (month-day)")},
            "type": "date",
            "tickformat": "%m-%d",
            "anchor": "y2",
        },
        "yaxis": {"title": {"text": gettext("Accounts")}, "rangemode": "tozero", "domain": [0.36, 1]},
        "yaxis2": {"domain": [0, 0.26], "zeroline": True, "nticks": 3},
    }
    return Chart(
        id="segment-members",
        title=title,
        reading=_reading(days),
        figure={"data": data, "layout": layout},
        headers=[gettext("Day"), gettext("Entered"), gettext("Left"), gettext("Members")],
        rows=[
            [date_format(day.day), number(day.entered), number(day.left), number(day.members)]
            for day in reversed(days)
            if day.entered or day.left or day is days[-1]
        ],
    )


def _reading(days: Sequence[Day]) -> str:
    words = gettext("%(entered)s entered and %(left)s left since %(day)s; %(members)s are in it now.")
    return words % {
        "entered": number(sum(day.entered for day in days)),
        "left": number(sum(day.left for day in days)),
        "day": date_format(days[0].day),
        "members": number(days[-1].members),
    }
