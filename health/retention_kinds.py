"""What this app keeps for a time only."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.registry import RetentionKind, retention_kinds
from health.services.retention import drop_snapshots, empty_event_properties


def register() -> None:
    retention_kinds.register(
        RetentionKind(
            "health.event_properties",
            _("Properties of events"),
            _("What an event carried beside its name. The events and all counts stay."),
            760,
            30,
            empty_event_properties,
        )
    )
    retention_kinds.register(
        RetentionKind(
            "health.snapshots",
            _("Daily measures"),
            _("All metrics of each account and day. Scores, predictions and outcomes stay."),
            760,
            400,
            drop_snapshots,
        )
    )
