"""Which share of the customers uses the features that show value."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext

from accounts.charts import Chart, Series, line_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import month_label, points, share_of
from health.queries.report_months import FeatureMonth, feature_months, key_features


def adoption_report(context: ReportContext) -> ReportBody:
    """Key features by month, of the customers with usage data."""
    features = key_features()
    if not features:
        return ReportBody(
            empty=gettext("No feature is marked as key. An admin marks them under Health, Key features.")
        )
    found = [month for month in feature_months(context, features) if any(month.known)]
    if not found:
        return ReportBody(empty=gettext("No nightly run of these months has usage of the key features yet."))
    labels = [feature.label or feature.name for feature in features]
    last = found[-1]
    most = min(_ranked(last))[1]
    return ReportBody(
        charts=[_chart(context, found, labels)],
        formulas=[
            Formula(
                gettext("Adoption"),
                gettext(
                    "customers with at least one use of the feature in the 28 days before the night ÷ customers with data on"
                    " it that night"
                ),
                share_of(last.used[most], last.known[most]),
                gettext("convention; 28 days as GitLab counts engagement"),
            )
        ],
        headers=[
            "month",
            "night",
            *(name for feature in features for name in (feature.name, f"{feature.name} (of)")),
        ],
        sheet=[
            [
                f"{one.month:%Y-%m}",
                one.as_of.isoformat(),
                *(n for pair in zip(one.used, one.known, strict=True) for n in pair),
            ]
            for one in found
        ],
    )


def _ranked(month: FeatureMonth) -> list[tuple[float, int]]:
    """(minus the share, the feature's place) of every feature that anybody has data on."""
    return [(-month.used[at] / known, at) for at, known in enumerate(month.known) if known]


def _chart(context: ReportContext, found: Sequence[FeatureMonth], labels: Sequence[str]) -> Chart:
    names = [month_label(one.month, context.period) for one in found]
    series = [
        Series(
            label,
            [points(one.used[at] / one.known[at]) if one.known[at] else None for one in found],
            [share_of(one.used[at], one.known[at]) for one in found],
        )
        for at, label in enumerate(labels)
    ]
    figure = line_chart(
        names, series, x_title=gettext("Last night of the month"), y_title=gettext("Customers (%)")
    )
    rows = [
        [name, *(share_of(*pair) for pair in zip(one.used, one.known, strict=True))]
        for name, one in zip(names, found, strict=True)
    ]
    title = gettext("Adoption of key features")
    headers = [gettext("Month"), *labels]
    return Chart("report-adoption", title, _reading(found[-1], labels), figure, headers, rows[::-1])


def _reading(last: FeatureMonth, labels: Sequence[str]) -> str:
    ranked = sorted(_ranked(last))
    most, least = ranked[0][1], ranked[-1][1]
    words = gettext(
        "Most used: %(most)s, %(share)s of the customers; least used: %(least)s, %(least_share)s."
    )
    return words % {
        "most": labels[most],
        "share": share_of(last.used[most], last.known[most]),
        "least": labels[least],
        "least_share": share_of(last.used[least], last.known[least]),
    }
