"""Who at the customer we know, and when we last spoke."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from health.metrics.reading import SnapshotReading
from health.registry import Metric, MetricFamily, MetricGroup, MetricSource, Unit, Words


def _touches(reading: SnapshotReading) -> str:
    return f"""
        SELECT account_id, max(occurred_at) AS last_at FROM accounts_activity
        WHERE {reading.mine()} AND is_touch AND occurred_at < {reading.instant()} GROUP BY account_id"""


def _contacts(reading: SnapshotReading) -> str:
    now = reading.instant()
    here = f"(left_at IS NULL OR left_at >= {now})"
    return f"""
        SELECT account_id, count(*) FILTER (WHERE {here}) AS known,
            count(*) FILTER (WHERE {here} AND is_champion) AS champions,
            bool_or(is_champion) AS had_champion,
            count(*) FILTER (WHERE is_champion AND left_at >= {reading.instant(60)} AND left_at < {now})
                AS champions_left
        FROM accounts_contact WHERE {reading.mine()} AND created_at < {now} GROUP BY account_id"""


SOURCES = (MetricSource("touches", _touches), MetricSource("contacts", _contacts))
FAMILIES: tuple[MetricFamily, ...] = ()


def _counted(column: str) -> str:
    """0 for an account without people, as soon as the workspace knows any."""
    return f"CASE WHEN facts.has_contacts THEN coalesce(contacts.{column}, 0) END"


def definitions() -> list[Metric]:
    """The metrics of this group."""
    return [
        _metric(
            "days_since_csm_touch",
            _("Days since the last CSM contact"),
            _("Days since a CSM last spoke or wrote with the customer; 1 means yesterday."),
            "ceil(date_part('epoch', facts.moment - touches.last_at) / 86400)",
            "as_of - last timeline entry that is contact with the customer, in started days; no data without one",
            source="touches",
            unit=Unit.DAYS,
            better="down",
        ),
        _metric(
            "contacts_count",
            _("Contacts"),
            _("People we know at the account who have not left."),
            _counted("known"),
            "count of contacts created before as_of and not left before it",
        ),
        _metric(
            "champions",
            _("Champions"),
            _("People marked as champion who have not left."),
            _counted("champions"),
            "count of champions created before as_of and not left before it",
        ),
        _metric(
            "champion_left_60",
            _("Champion left"),
            _("A champion left the customer in the last 60 days."),
            "CASE WHEN contacts.had_champion THEN (contacts.champions_left > 0)::int END",
            "1 if a champion left in [as_of - 60, as_of), else 0; no data without a champion",
            unit=Unit.YES_NO,
            better="down",
        ),
    ]


def _metric(
    name: str,
    label: Words,
    description: Words,
    sql: str,
    formula: str,
    *,
    source: str = "contacts",
    unit: Unit = Unit.COUNT,
    better: str = "up",
) -> Metric:
    return Metric(
        name=name,
        label=label,
        description=description,
        unit=unit,
        group=MetricGroup.RELATIONSHIP,
        sql=sql,
        sources=(source,),
        formula=formula,
        better=better,
    )
