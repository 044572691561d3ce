"""Segments and who is in them.

No postponed annotations here: ninja reads them through the decorators, whose modules lack our names.
"""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema
from pydantic import Field

from accounts.api.pages import listed_page
from accounts.api.problems import READS, READS_ONE
from accounts.api.schemas import MemberOut, SegmentOut
from accounts.api.security import needs
from accounts.api.types import Moment, Paging
from accounts.queries.api import members, segments

router = Router(tags=["segments"])


class MemberFilter(Paging):
    entered_since: Moment | None = None


class SegmentPage(Schema):
    results: list[SegmentOut]
    next: str | None = Field(description="address of the next page")


class MemberPage(Schema):
    results: list[MemberOut]
    next: str | None = Field(description="address of the next page")


@router.get(
    "/segments/", response={200: SegmentPage, **READS}, url_name="segments", operation_id="list_segments"
)
@needs("read")
def list_segments(request: HttpRequest, filters: Query[Paging]) -> Any:
    """Segments with the number of accounts in each."""
    return listed_page(request, segments(), filters)


@router.get(
    "/segments/{uuid:public_id}/", response={200: SegmentOut, **READS_ONE}, operation_id="get_segment"
)
@needs("read")
def get_segment(request: HttpRequest, public_id: UUID) -> Any:
    """One segment by its public id."""
    return get_object_or_404(segments(), public_id=public_id)


@router.get(
    "/segments/{uuid:public_id}/members/",
    response={200: MemberPage, **READS_ONE},
    operation_id="list_segment_members",
)
@needs("read")
def list_members(request: HttpRequest, public_id: UUID, filters: Query[MemberFilter]) -> Any:
    """The accounts that are in the segment now, as last written by the night or by its publication."""
    rows = members(get_object_or_404(segments(), public_id=public_id))
    if filters.entered_since is not None:
        rows = rows.filter(entered_at__gte=filters.entered_since)
    return listed_page(request, rows, filters)
