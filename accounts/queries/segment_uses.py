"""What asks for a segment."""

from __future__ import annotations

from typing import Any

from accounts.models import Segment
from accounts.registry import SegmentUse, segment_users


def uses_of(segment: Segment) -> list[SegmentUse]:
    """Scorecards, assignment rules and the like that would lose it; in words, with their addresses."""
    return [use for source in segment_users for use in source.find(segment)]


def asks_for(tree: Any, segment: Segment) -> bool:
    """Whether a stored rule names the segment."""
    if isinstance(tree, dict):
        if tree.get("field") == "segment":
            return str(segment.public_id) in (tree.get("value") or ())
        return any(asks_for(child, segment) for child in tree.values())
    return isinstance(tree, list) and any(asks_for(child, segment) for child in tree)
