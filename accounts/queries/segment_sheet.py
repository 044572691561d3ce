"""The stays of a segment for spreadsheets."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from accounts.models import Segment, SegmentMembership

MOST_ROWS = 100_000


def members_sheet(segment: Segment) -> tuple[list[str], list[list[Any]]]:
    """One row per stay, the open ones first; at most MOST_ROWS."""
    stays = SegmentMembership.objects.filter(segment=segment).select_related("account__csm__user")
    ordered = stays.order_by("-left_at", "account__name", "pk")[:MOST_ROWS]  # NULL comes first
    headers = [gettext("Account id"), gettext("Account"), gettext("CSM"), gettext("Entered"), gettext("Left")]
    return headers, [
        [
            stay.account.external_id,
            stay.account.name,
            str(stay.account.csm) if stay.account.csm else "",
            stay.entered_at.isoformat(timespec="seconds"),
            stay.left_at.isoformat(timespec="seconds") if stay.left_at else "",
        ]
        for stay in ordered
    ]
