"""What every list of accounts is asked in the same words: whose they are, which words, sorted by what."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Q
from django.http import QueryDict

from accounts.models import Membership
from cs_platform.lib.ids import read_uuid
from health.queries.keyset import Column, Order

LONGEST_WORDS = 200  # characters


def of_csm(choice: str, membership: Membership, path: str = "csm") -> Q:
    """Rows of "all", "none" (nobody's), "mine", or one membership's public id; any other text finds none."""
    if choice == "all":
        return Q()
    if choice == "none":
        return Q(**{f"{path}__isnull": True})
    if choice == "mine":
        return Q(**{f"{path}_id": membership.pk})
    public_id = read_uuid(choice)
    return Q(**{f"{path}__public_id": public_id}) if public_id else Q(pk__in=[])


def words_in(query: QueryDict) -> str:
    return query.get("q", "").strip()[:LONGEST_WORDS]


def sort_in(query: QueryDict, columns: Mapping[str, Column], default: str) -> str:
    """A column's name, with a minus in front where it falls; `default` for any other."""
    sort = query.get("sort", default)
    return sort if sort.removeprefix("-") in columns else default


def order_of(sort: str, columns: Mapping[str, Column], *, page: str, unique: str) -> Order:
    """The order that `sort` names; equal rows follow `unique` in the same direction."""
    column, descending = columns[sort.removeprefix("-")], sort.startswith("-")
    head = Column(column.path, descending, column.nullable)
    return Order(f"{page}.{sort}", (head, Column(unique, descending)))
