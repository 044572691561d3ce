"""Which versions decide at the moment."""

from __future__ import annotations

from health.models import ModelVersion, Scorecard, ScorecardVersion


def live_version() -> ModelVersion | None:
    """The churn model whose probabilities count, or None."""
    return ModelVersion.objects.filter(live_from__isnull=False, live_until__isnull=True).first()


def published_version() -> ScorecardVersion | None:
    """The scorecard version in force: newest published one of the first scorecard."""
    card = Scorecard.objects.order_by("position", "pk").first()
    if card is None:
        return None
    versions = ScorecardVersion.objects.filter(scorecard=card, published_at__isnull=False)
    return versions.order_by("-number").first()
