"""Keyset pages: a list stays fast and stable at any depth, whatever arrives meanwhile.

A cursor is the signed values of a row's sort columns. Rows without a value (NULL) come last
in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import F, Q
from django.db.models.fields.tuple_lookups import Tuple, TupleLessThan

from cs_platform.lib.scoping import ScopedQuerySet


@dataclass(frozen=True, slots=True)
class Column:
    """One sort column as a lookup path ("account__state__name")."""

    path: str
    descending: bool = False
    nullable: bool = False

    def value(self, row: Any) -> Any:
        for part in self.path.split("__"):
            row = getattr(row, part)
        return row.isoformat() if hasattr(row, "isoformat") else row

    def ordering(self, *, backwards: bool) -> Any:
        descending = self.descending != backwards
        last, first = (None, True) if backwards else (True, None)
        if not self.nullable:
            return F(self.path).desc() if descending else F(self.path).asc()
        if descending:
            return F(self.path).desc(nulls_last=last, nulls_first=first)
        return F(self.path).asc(nulls_last=last, nulls_first=first)

    def beyond(self, value: Any, *, backwards: bool) -> Q | None:
        """Rows whose value comes after (or, backwards, before) this one; None where there can be none."""
        if value is None:
            return Q(**{f"{self.path}__isnull": False}) if backwards else None
        comparison = "lt" if self.descending != backwards else "gt"
        found = Q(**{f"{self.path}__{comparison}": value})
        if self.nullable and not backwards:
            found |= Q(**{f"{self.path}__isnull": True})
        return found

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.path}__isnull": True}) if value is None else Q(**{self.path: value})


@dataclass(frozen=True, slots=True)
class Order:
    """A named total order; the last column must be unique."""

    name: str
    columns: tuple[Column, ...]

    @property
    def is_one_direction(self) -> bool:
        return all(c.descending and not c.nullable for c in self.columns)

    def cursor(self, row: Any) -> str:
        return signing.dumps([column.value(row) for column in self.columns], salt=f"keyset.{self.name}")

    def read(self, cursor: str) -> list[Any] | None:
        """The values in a cursor; None for an empty, foreign or tampered one (then the list starts over)."""
        if not cursor:
            return None
        try:
            values = signing.loads(cursor, salt=f"keyset.{self.name}")
        except signing.BadSignature:
            return None
        return list(values) if len(values) == len(self.columns) else None

    def beyond(self, queryset: ScopedQuerySet, values: list[Any], *, backwards: bool) -> ScopedQuerySet:
        if self.is_one_direction and not backwards:
            # One row comparison: the database then starts inside the index instead of at its head.
            columns = Tuple(*[F(column.path) for column in self.columns])
            return queryset.filter(TupleLessThan(columns, tuple(values)))
        condition, ties = Q(pk__in=[]), Q()
        for column, value in zip(self.columns, values, strict=True):
            further = column.beyond(value, backwards=backwards)
            if further is not None:
                condition |= ties & further
            ties &= column.same(value)
        return queryset.filter(condition)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page with the cursors of its neighbours ("" where there is none)."""

    rows: list[Any]
    after: str
    before: str


def page_of(
    queryset: ScopedQuerySet, order: Order, *, after: str = "", before: str = "", size: int = 50
) -> Page:
    """One page; `after` wins over `before`. One query."""
    ahead, back = order.read(after), None if after else order.read(before)
    backwards = back is not None
    values = back if backwards else ahead
    if values is not None:
        queryset = order.beyond(queryset, values, backwards=backwards)
    ordered = queryset.order_by(*[c.ordering(backwards=backwards) for c in order.columns])
    found = list(ordered[: size + 1])
    has_more, rows = len(found) > size, found[:size]
    if backwards:
        rows.reverse()
    return Page(
        rows=rows,
        after=order.cursor(rows[-1]) if rows and (has_more or backwards) else "",
        before=order.cursor(rows[0]) if rows and (has_more if backwards else ahead is not None) else "",
    )
