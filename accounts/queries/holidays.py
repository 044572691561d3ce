"""Days on which a workspace's people are not to be disturbed."""

from __future__ import annotations

from datetime import date


def is_holiday(day: date) -> bool:
    """Whether nobody should be mailed on this local day, beside weekends."""
    return False
