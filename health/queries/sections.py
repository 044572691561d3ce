"""Tabs of the health section."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from health.models import Scorecard


def health_tabs(active: str) -> list[dict[str, Any]]:
    """Overview, scorecard, rules, key features, model, experiments, runs."""
    cards = list(Scorecard.objects.filter(retired_at__isnull=True).order_by("position", "pk")[:2])
    pages = [("overview", gettext("Overview"), reverse("health:overview"))]
    if len(cards) == 1:
        address = reverse("health:scorecard", args=[cards[0].public_id])
        pages.append(("scorecard", gettext("Scorecard"), address))
    elif cards:
        pages.append(("scorecard", gettext("Scorecards"), reverse("health:scorecards")))
    pages += [
        ("rules", gettext("Risk rules"), reverse("health:rules")),
        ("features", gettext("Key features"), reverse("health:features")),
        ("model", gettext("Churn model"), reverse("health:model")),
        ("experiments", gettext("Experiments"), reverse("health:experiments")),
        ("runs", gettext("Nightly runs"), reverse("health:runs")),
        ("unattributed", gettext("Unattributed use"), reverse("health:unattributed")),
    ]
    return [{"label": label, "url": url, "active": name == active} for name, label, url in pages]
