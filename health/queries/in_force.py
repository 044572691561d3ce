"""Which versions decide at the moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accounts.models import SegmentMembership
from health.models import ModelVersion, Scorecard, ScorecardVersion

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CardInForce:
    """A scorecard that scores accounts, with its newest published version."""

    card: Scorecard
    version: ScorecardVersion


def live_version() -> ModelVersion | None:
    """The churn model whose probabilities count, or None."""
    return ModelVersion.objects.filter(live_from__isnull=False, live_until__isnull=True).first()


def default_card() -> Scorecard | None:
    """The card of accounts that no segment's card claims."""
    cards = Scorecard.objects.filter(segment__isnull=True, retired_at__isnull=True)
    return cards.order_by("position", "pk").first()


def published_version() -> ScorecardVersion | None:
    """The version in force of the default card."""
    card = default_card()
    return _newest([card]).get(card.pk) if card else None


def cards_in_force() -> list[CardInForce]:
    """Published cards in the order in which they claim accounts; the default without a segment is last."""
    cards = list(Scorecard.objects.filter(retired_at__isnull=True).select_related("segment"))
    cards.sort(key=lambda card: (card.segment_id is None, card.position, card.pk))
    newest = _newest(cards)
    return [CardInForce(card, newest[card.pk]) for card in cards if card.pk in newest]


def card_places(account_ids: Ints, cards: list[CardInForce]) -> Ints:
    """For each account the place of its card in `cards` (first match wins), -1 for none. One query per segment."""
    places = np.full(account_ids.size, -1, dtype=np.int64)
    for at, in_force in enumerate(cards):
        claims: Any = places == -1
        if in_force.card.segment_id is not None:
            claims &= np.isin(account_ids, members_of(in_force.card.segment_id))
        places[claims] = at
    return places


def members_of(segment_id: int) -> Ints:
    """Ids of the accounts in a segment, as it was last written."""
    stays = SegmentMembership.objects.filter(segment_id=segment_id, left_at__isnull=True)
    return np.fromiter(stays.values_list("account_id", flat=True), dtype=np.int64)


def _newest(cards: list[Scorecard]) -> dict[int, ScorecardVersion]:
    versions = ScorecardVersion.objects.filter(scorecard__in=cards, published_at__isnull=False)
    ordered = versions.order_by("scorecard_id", "-number").distinct("scorecard_id")
    return {version.scorecard_id: version for version in ordered}
