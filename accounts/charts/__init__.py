"""Figures as the plain dictionaries that plotly.js reads, for this app's pages and those of the apps above."""

from accounts.charts.base import Chart, Figure, Series, bar_chart, line_chart, pie_chart

__all__ = ["Chart", "Figure", "Series", "bar_chart", "line_chart", "pie_chart"]
