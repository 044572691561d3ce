"""The page of all scorecards: each with its segment and whom it scores, now and under another arrangement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import Segment
from accounts.registry import SegmentUse
from health.models import AccountState, Scorecard, ScorecardVersion
from health.queries.in_force import CardInForce, Ints, card_places, cards_in_force


class Placed(Protocol):
    @property
    def card_id(self) -> int: ...
    @property
    def position(self) -> int: ...
    @property
    def segment_id(self) -> int | None: ...
    @property
    def is_retired(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class CardRow:
    """One card. `version` is None before the first publication; `accounts`: customers it scores."""

    card: Scorecard
    version: ScorecardVersion | None
    has_draft: bool
    accounts: int


@dataclass(frozen=True, slots=True)
class Rearranged:
    """Accounts per card now and then, and how many would be scored by another card."""

    counts: list[tuple[str, int, int]]
    moved: int


def card_rows() -> list[CardRow]:
    """All cards in the order in which they claim accounts; those out of use last."""
    cards = list(Scorecard.objects.select_related("segment"))
    cards.sort(key=lambda c: (c.retired_at is not None, c.segment_id is None, c.position, c.pk))
    rows = ScorecardVersion.objects.order_by("scorecard_id", "-number")
    drafts = set(rows.filter(published_at__isnull=True).values_list("scorecard_id", flat=True))
    newest = {v.scorecard_id: v for v in rows.filter(published_at__isnull=False).distinct("scorecard_id")}
    counts = _claimed(cards_in_force(), _customers())
    return [CardRow(c, newest.get(c.pk), c.pk in drafts, counts.get(c.pk, 0)) for c in cards]


def rearranged(wanted: Sequence[Placed]) -> Rearranged:
    """What an arrangement would do."""
    accounts = _customers()
    now = cards_in_force()
    published = {
        version.scorecard_id: version
        for version in ScorecardVersion.objects.filter(published_at__isnull=False)
        .order_by("scorecard_id", "-number")
        .distinct("scorecard_id")
    }
    cards = {card.pk: card for card in Scorecard.objects.all()}
    then = []
    for place in wanted:
        if not place.is_retired and place.card_id in published and place.card_id in cards:
            card = cards[place.card_id]
            card.segment_id, card.position = place.segment_id, place.position
            then.append(CardInForce(card, published[place.card_id]))
    then.sort(key=lambda f: (f.card.segment_id is None, f.card.position, f.card.pk))
    before, after = _claimed(now, accounts), _claimed(then, accounts)
    names = {card.pk: card.name for card in cards.values()}
    shown = [*dict.fromkeys([f.card.pk for f in then] + [f.card.pk for f in now])]
    moved = int(np.count_nonzero(_owners(now, accounts) != _owners(then, accounts)))
    return Rearranged([(names[pk], before.get(pk, 0), after.get(pk, 0)) for pk in shown], moved)


def own_rows(card: Scorecard, account_ids: Ints) -> Any:
    """A boolean array: the accounts that the card scores, or would score once it is published."""
    cards = cards_in_force()
    if all(found.card.pk != card.pk for found in cards):
        cards.append(CardInForce(card, ScorecardVersion(scorecard=card)))
        cards.sort(key=lambda f: (f.card.segment_id is None, f.card.position, f.card.pk))
    at = next(at for at, found in enumerate(cards) if found.card.pk == card.pk)
    return card_places(account_ids, cards) == at


def scorecards_of(segment: Segment) -> list[SegmentUse]:
    """Cards in use that stand on the segment."""
    cards = Scorecard.objects.filter(segment=segment, retired_at__isnull=True).order_by("position")
    return [
        SegmentUse(
            gettext("Scorecard “%(name)s”") % {"name": card.name},
            reverse("health:scorecard", args=[card.public_id]),
            decides_score=True,
        )
        for card in cards
    ]


def _customers() -> Ints:
    ids = AccountState.objects.filter(is_customer=True).values_list("account_id", flat=True)
    return np.fromiter(ids, dtype=np.int64)


def _owners(cards: list[CardInForce], accounts: Ints) -> Ints:
    pks = np.array([*(found.card.pk for found in cards), -1], dtype=np.int64)
    return pks[card_places(accounts, cards)]


def _claimed(cards: list[CardInForce], accounts: Ints) -> dict[int, int]:
    found, counts = np.unique(_owners(cards, accounts), return_counts=True)
    return {int(pk): int(n) for pk, n in zip(found, counts, strict=True)}
