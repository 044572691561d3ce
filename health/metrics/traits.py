"""Columns that the workspace brought along, as numbers: `trait:<key>`. Texts are read by the models themselves."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import TraitDefinition
from health.metrics.reading import SnapshotReading
from health.registry import Metric, MetricFamily, MetricGroup, MetricSource, Unit

Kind = TraitDefinition.Kind
EPOCH_DAY = "DATE '1970-01-01'"
UNITS = {Kind.NUMBER: Unit.NUMBER, Kind.BOOLEAN: Unit.YES_NO, Kind.DATE: Unit.DAYS}


def _traits(reading: SnapshotReading) -> str:
    """The latest value known before the moment; an undated one counts since the account began."""
    ids = list(_numeric().values_list("id", flat=True))
    columns = "".join(
        f", max(value_number) FILTER (WHERE definition_id = {int(id)}) AS t{int(id)}" for id in ids
    )
    return f"""
        SELECT account_id {columns}
        FROM (
            SELECT DISTINCT ON (account_id, definition_id) account_id, definition_id, value_number
            FROM accounts_accounttrait
            WHERE {reading.mine()} AND definition_id = ANY({reading.bind(ids)}::bigint[])
                AND (known_at IS NULL OR known_at < {reading.instant()})
            ORDER BY account_id, definition_id, known_at DESC NULLS LAST
        ) latest GROUP BY account_id"""


def _numeric() -> QuerySet[TraitDefinition]:
    found: QuerySet[TraitDefinition] = TraitDefinition.objects.exclude(kind=Kind.TEXT).order_by("key")
    return found


def trait_metric(definition: TraitDefinition) -> Metric:
    """`trait:<key>`; of the definition its id, key, label, kind and use in models are read."""
    column = f"traits.t{definition.pk}"
    is_date = definition.kind == Kind.DATE
    return Metric(
        name=f"trait:{definition.key}",
        label=definition.label or definition.key,
        description=_("A trait of the account."),
        unit=UNITS[Kind(definition.kind)],
        group=MetricGroup.TRAITS,
        sql=f"(facts.as_of - {EPOCH_DAY}) - {column}" if is_date else column,
        sources=("traits",),
        formula="as_of - the date" if is_date else "the latest value known before as_of",
        better="neither",
        in_model=definition.use_in_model,
        decimals=0 if is_date else 2,
    )


SOURCES = (MetricSource("traits", _traits),)
FAMILIES: tuple[MetricFamily, ...] = ()  # see `own.py`


def definitions() -> list[Metric]:
    """Traits exist per workspace only."""
    return []
