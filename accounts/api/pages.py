"""Pages of lists: by ascending id, so that rows that come or go meanwhile neither repeat nor hide one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from accounts.api.cursors import cursor_after, id_of
from accounts.api.types import Paging
from cs_platform.lib.scoping import ScopedQuerySet


def page_by_id(request: HttpRequest, rows: ScopedQuerySet, filters: Paging) -> dict[str, Any]:
    """`{"results": [...], "next": address or None}`; one query."""
    after = id_of(filters.cursor) if filters.cursor else 0
    found = list(rows.filter(pk__gt=after).order_by("pk")[: filters.limit + 1])
    return page_of_rows(request, found, filters)


def page_of_rows(request: HttpRequest, found: Sequence[Any], filters: Paging) -> dict[str, Any]:
    """For rows that were read elsewhere, ascending by `id`, one more than asked for if there is one."""
    rows = found[: filters.limit]
    more = len(found) > filters.limit
    return {"results": rows, "next": next_page(request, cursor_after(rows[-1].id)) if more else None}


def next_page(request: HttpRequest, cursor: str) -> str:
    """The same address with another cursor; filters and limit stay."""
    given = [(name, value) for name, values in request.GET.lists() for value in values if name != "cursor"]
    return f"{request.build_absolute_uri(request.path)}?{urlencode([*given, ('cursor', cursor)])}"
