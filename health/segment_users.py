"""What of this app stands on a segment, so that nobody deletes it unawares."""

from __future__ import annotations

from accounts.registry import SegmentUser, segment_users
from health.queries.assignment import assignment_rules_of
from health.queries.cards import scorecards_of
from health.queries.sequence_segments import playbooks_of


def register() -> None:
    segment_users.register(SegmentUser("scorecards", scorecards_of))
    segment_users.register(SegmentUser("assignment", assignment_rules_of))
    segment_users.register(SegmentUser("playbooks", playbooks_of))
