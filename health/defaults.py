"""What a new workspace starts with: a sensible scorecard and the default risk rules.

Bands follow published configurations: licence utilisation judged by the customer's age, active
days, use against the period before, failed payments capping the score at yellow.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from health.models import Scorecard, ScorecardVersion
from health.scoring.parsing import parse_definition
from health.services.risks import create_default_rules


def _measure(metric: str, weight: float, red: float, green: float, **rest: Any) -> dict[str, Any]:
    direction = "up" if green > red else "down"
    return {"metric": metric, "weight": weight, "direction": direction, "red": red, "green": green, **rest}


SCORECARD: dict[str, Any] = {
    "measures": [
        _measure("active_days_28", 20, 2, 14),
        _measure("usage_change_28", 15, -50, -5),
        _measure(
            "licence_utilisation",
            20,
            25,
            70,
            tenure_bands=[
                {"min_tenure_days": 0, "red": 5, "green": 30},
                {"min_tenure_days": 60, "red": 10, "green": 50},
                {"min_tenure_days": 180, "red": 25, "green": 70},
            ],
        ),
        _measure("key_features_adopted", 15, 10, 60),
        _measure("days_since_last_seen", 10, 21, 3),
        _measure("urgent_tickets_90", 5, 4, 0),
        _measure("ticket_satisfaction_180", 5, 2.5, 4.2, missing="decay", half_life_days=60),
        _measure("failed_payments_90", 5, 2, 0),
        _measure("days_since_csm_touch", 5, 120, 30),
    ],
    "exceptions": [
        {"metric": "failed_payments_90", "when": "red", "cap": 74},
        {"metric": "days_since_last_seen", "when": "red", "cap": 49},
    ],
    "bands": {"yellow": 50, "green": 75},
}


def create_scorecard() -> None:
    """The first published version, in the running workspace; nothing where a scorecard exists."""
    if Scorecard.objects.exists():
        return
    definition = parse_definition(SCORECARD).as_json()
    card = Scorecard.objects.create(name=_("All customers"))
    ScorecardVersion.objects.create(
        scorecard=card, number=1, definition=definition, published_at=timezone.now(), note=_("Default")
    )


def create_defaults() -> None:
    create_scorecard()
    create_default_rules()
