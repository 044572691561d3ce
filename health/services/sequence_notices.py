"""Who is told when a sequence stops for a person to look."""

from __future__ import annotations

from datetime import datetime

from health.models import Sequence


def tell_of_pause(sequence: Sequence, *, now: datetime) -> None:
    """The daily cap closed the door."""
