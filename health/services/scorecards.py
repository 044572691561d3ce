"""Draft, publish and roll back the scorecard. A published version is never edited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Job, User
from accounts.services import versions
from cs_platform.lib.scoping import current_workspace_id
from health.metrics.catalogue import is_metric
from health.models import Scorecard, ScorecardVersion
from health.scoring import parse_definition

RESCORE_JOB = "health.rescore"


def newest_published(card: Scorecard) -> ScorecardVersion | None:
    return versions.newest_published(ScorecardVersion, card)


def draft_of(card: Scorecard) -> ScorecardVersion | None:
    return versions.draft_of(ScorecardVersion, card)


def save_draft(*, card: Scorecard, definition: Mapping[str, Any], acting_user: User) -> ScorecardVersion:
    """Keep what was typed, mistakes included, as the card's one draft."""
    return versions.save_draft(ScorecardVersion, parent=card, definition=definition, acting_user=acting_user)


def discard_draft(*, card: Scorecard, acting_user: User) -> None:
    versions.discard_draft(ScorecardVersion, parent=card, acting_user=acting_user)


@transaction.atomic
def publish(
    *, card: Scorecard, definition: Mapping[str, Any], note: str, acting_user: User, now: datetime
) -> ScorecardVersion:
    """Put a definition in force and have every account rescored at once.

    Raises DefinitionError with every mistake; then nothing is published.
    """
    clean = parse_definition(dict(definition), known_metrics=is_metric).as_json()
    version = versions.publish(
        ScorecardVersion, parent=card, definition=clean, note=note, acting_user=acting_user, now=now
    )
    _rescore()
    return version


@transaction.atomic
def roll_back(*, version: ScorecardVersion, acting_user: User, now: datetime) -> ScorecardVersion:
    """Publish an older version's definition again, as a new version."""
    restored = versions.roll_back(version=version, acting_user=acting_user, now=now)
    _rescore()
    return restored


def _rescore() -> None:
    Job.objects.put(RESCORE_JOB, current_workspace_id(), priority=-5)
