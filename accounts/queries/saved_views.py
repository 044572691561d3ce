"""Saved views of a list page: the user's own and those shared with the workspace."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.http import QueryDict

from accounts.models import SavedView, User

_POSITION = ("after", "before")


@dataclass(frozen=True, slots=True)
class SavedViewChip:
    """A view as a chip; `is_own` may be removed by the reader."""

    public_id: str
    name: str
    url: str
    active: bool
    is_own: bool


def saved_views(page: str, user: User, query: QueryDict) -> list[SavedViewChip]:
    """Views of the page by name; the one whose query is the present one is active."""
    rows = SavedView.objects.filter(Q(user=user) | Q(is_shared=True), page=page).order_by("name", "id")
    present = settled(query)
    return [
        SavedViewChip(
            str(row.public_id), row.name, f"?{row.query}", row.query == present, row.user_id == user.pk
        )
        for row in rows
    ]


def settled(query: QueryDict) -> str:
    """A query string that says which rows, not which page of them: sorted, so that it can be compared."""
    pairs = [
        (key, value) for key, values in query.lists() if key not in _POSITION for value in values if value
    ]
    kept = QueryDict(mutable=True)
    for key, value in sorted(pairs):
        kept.appendlist(key, value)
    return kept.urlencode()
