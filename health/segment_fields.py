"""What rules may ask of an account by what is measured: score, money, lifecycle, risks and every metric."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.registry import segment_field_families, segment_fields
from accounts.segments.fields import FieldKind, Moment, SegmentField, SegmentFieldFamily
from health.metrics.catalogue import all_metrics, known_positions
from health.models import AccountSnapshot, AccountState, HealthBand, LifecycleStage, Risk
from health.registry import GROUP_LABELS, Metric, MetricGroup, Unit
from health.risks import risk_rules

HEALTH, BILLING, USAGE, STAGE = _("Health"), _("Billing"), _("Usage"), _("Lifecycle")
KINDS = {Unit.MONEY: FieldKind.MONEY, Unit.YES_NO: FieldKind.BOOLEAN}
UNITS: dict[str, Any] = {Unit.PERCENT: "%", Unit.DAYS: _("days")}


def _bands() -> list[tuple[str, str]]:
    return [(value, str(label)) for value, label in HealthBand.choices]


def _stages() -> list[tuple[str, str]]:
    return [(value, str(label)) for value, label in LifecycleStage.choices]


def _causes() -> list[tuple[str, str]]:
    return [(spec.name, str(spec.label)) for spec in risk_rules]


def _open_risks(moment: Moment) -> Any:
    return Risk.objects.filter(closed_on__isnull=True)


def _state(name: str, label: Any, group: Any, kind: FieldKind, column: str = "", **rest: Any) -> None:
    """A field of the account's latest state: a typed column, no join but one."""
    segment_fields.register(SegmentField(name, label, group, kind, f"state__{column or name}", **rest))


def _register_states() -> None:
    number, money, day = FieldKind.NUMBER, FieldKind.MONEY, FieldKind.DATE
    _state(
        "lifecycle",
        _("Lifecycle stage"),
        STAGE,
        FieldKind.CHOICE,
        choices=_stages,
        is_closed=True,
        help=_("Trial, onboarding (first 90 days), live, renewing (a term ends within 90 days), lapsed."),
    )
    _state("is_customer", _("Is a customer"), STAGE, FieldKind.BOOLEAN, optional=False)
    _state("started_at", _("First subscription"), STAGE, day)
    _state("arr_minor", _("ARR"), BILLING, money)
    _state("mrr_minor", _("MRR"), BILLING, money, "arr_minor", scale=12)
    _state("renews_at", _("Renewal"), BILLING, day)
    _state("health_score", _("Health score"), HEALTH, number, from_score=True)
    _state(
        "health_band", _("Band"), HEALTH, FieldKind.CHOICE, choices=_bands, is_closed=True, from_score=True
    )
    _state(
        "health_change",
        _("Change of the score in 28 days"),
        HEALTH,
        number,
        unit=_("points"),
        help=_("Below 0 = the score fell."),
        from_score=True,
    )
    _state("coverage", _("Coverage of the score"), HEALTH, number, unit="%", scale=0.01, from_score=True)
    _state("churn_probability", _("Churn probability"), HEALTH, number, unit="%", scale=0.01)
    _state("expected_loss_minor", _("Expected loss a year"), HEALTH, money, from_score=True)
    _state("last_seen_on", _("Last seen"), USAGE, day, stored_as="date")
    segment_fields.register(
        SegmentField(
            "risk",
            _("Open risk"),
            HEALTH,
            FieldKind.CHOICE,
            "cause",
            _open_risks,
            choices=_causes,
            from_score=True,
        )
    )


def _day_of_states() -> Any:
    """The day that the states show: the newest finished one, also while a night is running."""
    return AccountState.objects.order_by("pk").values_list("as_of", flat=True).first()


def _metric_fields() -> list[SegmentField]:
    """Every metric but the traits, which are asked at their source."""
    places = known_positions()
    found = [m for m in all_metrics().values() if m.group != MetricGroup.TRAITS]
    return [_metric_field(metric, places.get(metric.name)) for metric in found]


def _metric_field(metric: Metric, place: int | None) -> SegmentField:
    def snapshots(moment: Moment) -> Any:
        day = _day_of_states() if place is not None else None
        return AccountSnapshot.objects.filter(as_of=day) if day else AccountSnapshot.objects.none()

    return SegmentField(
        f"metric:{metric.name}",
        metric.label,
        GROUP_LABELS[metric.group],
        KINDS.get(metric.unit, FieldKind.NUMBER),
        f"values__{place or 0}",
        snapshots,
        unit=UNITS.get(metric.unit, ""),
        help=metric.description,
    )


def register() -> None:
    _register_states()
    segment_field_families.register(SegmentFieldFamily("metric", _metric_fields))
