"""Lists narrowed to segments: by the open stays, through an index, never by the rules."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import BooleanField, Func, Q
from django.http import QueryDict

from accounts.models import Segment, SegmentMembership
from cs_platform.lib.ids import read_uuid
from health.queries.choices import Choice


def segment_ids(query: QueryDict) -> tuple[str, ...]:
    """Public ids in the query string, as typed; what is none finds nobody."""
    return tuple(query.getlist("segment"))[:20]


def in_segments(public_ids: Sequence[str], column: str) -> Q:
    """Rows whose account is in any of the segments.

    "IS TRUE" keeps the members a list that is read once and looked up, whatever the database believes of the
    tables: as a join, it once looked through all members once per row of a page.
    """
    stays = SegmentMembership.objects.filter(segment__public_id__in=_valid(public_ids), left_at__isnull=True)
    inside = Q(**{f"{column}__in": stays.values("account_id")})
    return Q(Func(inside, template="(%(expressions)s) IS TRUE", output_field=BooleanField()))


def segment_choices(chosen: Sequence[str]) -> list[Choice]:
    """All segments with a member or chosen, by name; the number counts the whole segment. One query."""
    rows = Segment.objects.order_by("name").values_list("public_id", "name", "members")
    picked = set(_valid(chosen))
    return [
        Choice(str(public_id), name, public_id in picked, members)
        for public_id, name, members in rows
        if members or public_id in picked
    ]


def _valid(public_ids: Sequence[str]) -> list[UUID]:
    return [found for text in public_ids if (found := read_uuid(text))]
