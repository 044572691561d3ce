"""Which scorecards there are, for whom, and in which order: added, arranged, taken out of use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.models import Job, Segment, User
from accounts.segments import TreeError
from accounts.services import segments, versions
from accounts.services.audit import audit
from cs_platform.lib.scoping import current_workspace_id
from health.models import Scorecard, ScorecardVersion
from health.services.scorecards import RESCORE_JOB


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card stands: its name, its turn (lower first), its segment (None = the default), in use or not."""

    card_id: int
    name: str
    position: int
    segment_id: int | None
    is_retired: bool = False


class SegmentUnfit(ValueError):
    """The segment's rule depends on the score, or is not published: no scorecard can stand on it."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        super().__init__(segment.name)


def check_segment(segment: Segment) -> None:
    """Raises SegmentUnfit."""
    version = segments.newest_published(segment)
    try:
        fits = version is not None and not segments.read_rule(version.definition).from_score
    except TreeError:
        fits = False
    if not fits:
        raise SegmentUnfit(segment)


@transaction.atomic
def add_card(
    *, name: str, segment: Segment, copy_of: ScorecardVersion, acting_user: User | None, now: datetime
) -> Scorecard:
    """A card for a segment, with another one's definition as its draft. It scores nobody until published.

    Raises SegmentUnfit.
    """
    check_segment(segment)
    last = Scorecard.objects.aggregate(last=Max("position"))["last"] or 0
    card: Scorecard = Scorecard.objects.create(name=name, segment=segment, position=last + 1)
    versions.save_draft(ScorecardVersion, parent=card, definition=copy_of.definition, acting_user=acting_user)
    audit("health.scorecard.added", acting_user=acting_user, target=card, copy_of=copy_of.pk)
    return card


def places() -> list[Place]:
    """The arrangement as it stands."""
    cards = Scorecard.objects.order_by("position", "pk")
    return [Place(c.pk, c.name, c.position, c.segment_id, c.retired_at is not None) for c in cards]


@transaction.atomic
def arrange(*, wanted: Sequence[Place], acting_user: User | None, now: datetime) -> list[Place]:
    """Put an arrangement in force and have everybody rescored; returns the one before.

    Cards that `wanted` does not name stay as they are. Raises SegmentUnfit; then nothing changed.
    """
    before = places()
    stood = {place.card_id: place for place in before}
    changed = [place for place in wanted if place.card_id in stood and stood[place.card_id] != place]
    chosen = {place.segment_id for place in changed if place.segment_id and not place.is_retired}
    for segment in Segment.objects.filter(pk__in=chosen):
        check_segment(segment)
    cards = {card.pk: card for card in Scorecard.objects.select_for_update().order_by("pk")}
    for place in sorted(changed, key=lambda place: not place.is_retired):  # names of retired cards are free
        card = cards[place.card_id]
        card.name, card.position, card.segment_id = place.name, place.position, place.segment_id
        card.retired_at = (card.retired_at or now) if place.is_retired else None
        card.save(update_fields=["name", "position", "segment", "retired_at"])
    if changed:
        audit(
            "health.scorecards.arranged",
            acting_user=acting_user,
            cards=[place.card_id for place in changed],
        )
        Job.objects.put(RESCORE_JOB, current_workspace_id(), priority=-5)
    return before


def as_data(arrangement: Sequence[Place]) -> list[dict[str, Any]]:
    """For a signed undo link."""
    return [asdict(place) for place in arrangement]


def of_data(data: Sequence[dict[str, Any]]) -> list[Place]:
    return [Place(**place) for place in data]
