"""What the customer asked support for, and how that went."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from health.metrics.reading import SnapshotReading
from health.registry import Metric, MetricFamily, MetricGroup, MetricSource, Unit, Words


def _support(reading: SnapshotReading) -> str:
    now = reading.instant()
    return f"""
        SELECT account_id,
            count(*) FILTER (WHERE closed_at IS NULL OR closed_at >= {now}) AS open,
            count(*) FILTER (WHERE opened_at >= {reading.instant(28)}) AS opened_28,
            count(*) FILTER (WHERE opened_at >= {reading.instant(56)} AND opened_at < {reading.instant(28)})
                AS opened_before,
            count(*) FILTER (WHERE priority = 'urgent' AND opened_at >= {reading.instant(90)}) AS urgent_90,
            avg(satisfaction) FILTER (WHERE closed_at >= {reading.instant(180)} AND closed_at < {now})
                AS satisfaction_180
        FROM accounts_ticket WHERE {reading.mine()} AND opened_at < {now} GROUP BY account_id"""


SOURCES = (MetricSource("support", _support),)
FAMILIES: tuple[MetricFamily, ...] = ()


def _counted(column: str) -> str:
    """0 for an account without tickets, as soon as the workspace has any."""
    return f"CASE WHEN facts.has_tickets THEN coalesce(support.{column}, 0) END"


def definitions() -> list[Metric]:
    """The metrics of this group."""
    return [
        _metric(
            "open_tickets",
            _("Open tickets"),
            _("Tickets that are not closed."),
            _counted("open"),
            "count of tickets opened before as_of and not closed before it",
        ),
        _metric(
            "tickets_28",
            _("Tickets in 28 days"),
            _("Tickets opened in the last 28 days."),
            _counted("opened_28"),
            "count of tickets opened in [as_of - 28, as_of)",
        ),
        _metric(
            "tickets_change_28",
            _("More tickets than before"),
            _("Tickets of the last 28 days minus those of the 28 days before."),
            f"({_counted('opened_28')}) - coalesce(support.opened_before, 0)",
            "tickets_28 - count of tickets opened in [as_of - 56, as_of - 28)",
        ),
        _metric(
            "urgent_tickets_90",
            _("Urgent tickets"),
            _("Tickets of priority urgent opened in the last 90 days."),
            _counted("urgent_90"),
            "count of urgent tickets opened in [as_of - 90, as_of)",
        ),
        _metric(
            "ticket_satisfaction_180",
            _("Satisfaction with support"),
            _("Mean rating (1 to 5) of the tickets closed in the last 180 days."),
            "support.satisfaction_180",
            "mean satisfaction of rated tickets closed in [as_of - 180, as_of); no data without a rating",
            unit=Unit.SCORE,
            better="up",
            decimals=1,
        ),
    ]


def _metric(
    name: str,
    label: Words,
    description: Words,
    sql: str,
    formula: str,
    *,
    unit: Unit = Unit.COUNT,
    better: str = "down",
    decimals: int = 0,
) -> Metric:
    return Metric(
        name=name,
        label=label,
        description=description,
        unit=unit,
        group=MetricGroup.SUPPORT,
        sql=sql,
        sources=("support",),
        formula=formula,
        better=better,
        behavioural=True,
        decimals=decimals,
    )
