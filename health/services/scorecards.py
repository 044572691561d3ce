"""Draft, preview, publish and roll back the scorecard. A published version is never edited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext

from accounts.models import Job, User
from accounts.services.audit import audit
from cs_platform.lib.scoping import current_workspace_id
from health.metrics.catalogue import is_metric
from health.models import Scorecard, ScorecardVersion
from health.scoring import parse_definition

RESCORE_JOB = "health.rescore"


def newest_published(card: Scorecard) -> ScorecardVersion | None:
    rows = ScorecardVersion.objects.filter(scorecard=card, published_at__isnull=False)
    return rows.order_by("-number").first()


def draft_of(card: Scorecard) -> ScorecardVersion | None:
    return ScorecardVersion.objects.filter(scorecard=card, published_at__isnull=True).first()


@transaction.atomic
def save_draft(*, card: Scorecard, definition: Mapping[str, Any], acting_user: User) -> ScorecardVersion:
    """Keep what was typed, mistakes included, as the card's one draft."""
    Scorecard.objects.select_for_update().get(pk=card.pk)
    draft = draft_of(card)
    if draft is None:
        draft = ScorecardVersion(scorecard=card, number=_next_number(card), created_by=acting_user)
    draft.definition = dict(definition)
    draft.save()
    return draft


@transaction.atomic
def discard_draft(*, card: Scorecard, acting_user: User) -> None:
    ScorecardVersion.objects.filter(scorecard=card, published_at__isnull=True).delete()
    audit("health.scorecard.draft_discarded", acting_user=acting_user, target=card)


@transaction.atomic
def publish(
    *, card: Scorecard, definition: Mapping[str, Any], note: str, acting_user: User, now: datetime
) -> ScorecardVersion:
    """Put a definition in force and have every account rescored at once.

    Raises DefinitionError with every mistake; then nothing is published.
    """
    clean = parse_definition(dict(definition), known_metrics=is_metric).as_json()
    draft = save_draft(card=card, definition=clean, acting_user=acting_user)
    draft.note, draft.published_at, draft.published_by = note, now, acting_user
    draft.save()
    Job.objects.put(RESCORE_JOB, current_workspace_id(), priority=-5)
    audit("health.scorecard.published", acting_user=acting_user, target=draft, number=draft.number)
    return draft


@transaction.atomic
def roll_back(*, version: ScorecardVersion, acting_user: User, now: datetime) -> ScorecardVersion:
    """Publish an older version's definition again, as a new version; a draft is kept aside of it."""
    card = version.scorecard
    Scorecard.objects.select_for_update().get(pk=card.pk)
    draft = draft_of(card)
    number = _next_number(card)
    if draft is not None:  # numbers follow the order of publication
        draft.number = number + 1
        draft.save(update_fields=["number"])
    restored = ScorecardVersion.objects.create(
        scorecard=card,
        number=number,
        definition=version.definition,
        note=gettext("Same as version %(n)d") % {"n": version.number},
        created_by=acting_user,
        published_at=now,
        published_by=acting_user,
    )
    Job.objects.put(RESCORE_JOB, current_workspace_id(), priority=-5)
    audit("health.scorecard.rolled_back", acting_user=acting_user, target=restored, to=version.number)
    return restored


def _next_number(card: Scorecard) -> int:
    published = ScorecardVersion.objects.filter(scorecard=card, published_at__isnull=False)
    return (published.aggregate(top=Max("number"))["top"] or 0) + 1
