"""Which share of the customers uses the features that show value."""

from __future__ import annotations

from django.utils.translation import gettext

from accounts.charts import Chart, Series, line_chart
from accounts.charts.report import Formula, ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import month_label, points, share_of
from health.queries.report_months import feature_months, key_features


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
    names = [month_label(one.month, context.period) for one in found]
    labels = [feature.label or feature.name for feature in features]
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
    last = found[-1]
    ranked = sorted(
        (at for at in range(len(labels)) if last.known[at]), key=lambda at: -last.used[at] / last.known[at]
    )
    reading = gettext(
        "Most used: %(most)s, %(share)s of the customers; least used: %(least)s, %(least_share)s."
    ) % {
        "most": labels[ranked[0]],
        "share": share_of(last.used[ranked[0]], last.known[ranked[0]]),
        "least": labels[ranked[-1]],
        "least_share": share_of(last.used[ranked[-1]], last.known[ranked[-1]]),
    }
    headers = [gettext("Month"), *labels]
    rows = [
        [name, *(share_of(*pair) for pair in zip(one.used, one.known, strict=True))]
        for name, one in zip(names, found, strict=True)
    ]
    return ReportBody(
        charts=[
            Chart(
                "report-adoption", gettext("Adoption of key features"), reading, figure, headers, rows[::-1]
            )
        ],
        formulas=[
            Formula(
                gettext("Adoption"),
                gettext(
                    "customers with at least one use of the feature in the 28 days before the night ÷ customers with data on"
                    " it that night"
                ),
                share_of(last.used[ranked[0]], last.known[ranked[0]]),
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
