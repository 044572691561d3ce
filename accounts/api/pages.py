"""Pages of lists: by ascending id or change time, so that rows that come or go meanwhile neither repeat nor hide one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest

from accounts.api.cursors import change_of, cursor_after, cursor_of_change, id_of
from accounts.api.types import Paging, SyncPaging
from accounts.queries.changes import settled_until
from cs_platform.lib.scoping import ScopedQuerySet


@dataclass(frozen=True)
class Place:
    """Where a page begins, and in which order rows follow."""

    where: Q
    order: tuple[str, ...]


def place_of(filters: Paging) -> Place:
    """By id; with `updated_since` by change time, up to where no open transaction can still bring an earlier one."""
    since = filters.updated_since if isinstance(filters, SyncPaging) else None
    if since is None:
        return Place(Q(pk__gt=id_of(filters.cursor) if filters.cursor else 0), ("pk",))
    where = Q(updated_at__gte=since, updated_at__lt=settled_until())
    if filters.cursor:
        at, row_id = change_of(filters.cursor)
        where &= Q(updated_at__gte=at) & (Q(updated_at__gt=at) | Q(pk__gt=row_id))
    return Place(where, ("updated_at", "pk"))


def listed_page(request: HttpRequest, rows: ScopedQuerySet, filters: Paging) -> dict[str, Any]:
    """`{"results": [...], "next": address or None}`; one query, one more with `updated_since`."""
    place = place_of(filters)
    found = list(rows.filter(place.where).order_by(*place.order)[: filters.limit + 1])
    return page_of_rows(request, found, filters)


def page_of_rows(request: HttpRequest, found: Sequence[Any], filters: Paging) -> dict[str, Any]:
    """For rows that were read elsewhere in the order of their place, one more than asked for if there is one."""
    rows = found[: filters.limit]
    more = len(found) > filters.limit
    return {"results": rows, "next": next_page(request, _cursor(rows[-1], filters)) if more else None}


def _cursor(row: Any, filters: Paging) -> str:
    if isinstance(filters, SyncPaging) and filters.updated_since is not None:
        return cursor_of_change(row.updated_at, row.id)
    return cursor_after(row.id)


def next_page(request: HttpRequest, cursor: str) -> str:
    """The same address with another cursor; filters and limit stay."""
    given = [(name, value) for name, values in request.GET.lists() for value in values if name != "cursor"]
    return f"{request.build_absolute_uri(request.path)}?{urlencode([*given, ('cursor', cursor)])}"
